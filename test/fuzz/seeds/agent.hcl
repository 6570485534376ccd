# An agent with something of everything.
node_name  = "n1"
node_meta { rack = "r1" }
datacenter = "dc1"
domain     = "mesh."
bind_addr  = "127.0.0.1"
client_addr = "{{ GetInterfaceIP \"lo\" }}"
log_level  = "debug"
/* one
   and two */
ports {
  http  = 8500
  dns   = 8600
  sidecar_min_port = 21000
  sidecar_max_port = 21255
}
addresses = { http = "127.0.0.1" }
dns_config {
  allow_stale = true
  max_stale   = "10s"
  service_ttl = { "*" = "5s", db = "1m30s" }
  node_ttl    = "0s"
}
telemetry {
  prometheus_retention_time = "60s"
  prefix_filter = ["+lictor.a", "-lictor.b"]
}
limits { http_max_conns_per_client = 200 }
connect {
  enabled     = true
  ca_provider = "consul"
  ca_config { leaf_cert_ttl = "72h" private_key_type = "ec" private_key_bits = 256 }
}
acl { enabled = false tokens { agent = "t" } }
watches = [
  { type = "service" service = "web" args = ["/bin/true"] },
  { type = "key" key = "a" handler_type = "http" http_handler_config { path = "http://127.0.0.1:9000/" timeout = "5s" } }
]
config_entries {
  bootstrap = [
    { kind = "proxy-defaults" name = "global" config { protocol = "http" } },
    { kind = "service-intentions" name = "db" sources = [{ name = "web" action = "allow" }] }
  ]
}
