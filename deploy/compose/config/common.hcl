# Of every agent, servers and clients. Read by the image's entrypoint; roles have folders of their own.

retry_join     = ["server-1", "server-2", "server-3"]
retry_interval = "2s"

tls {
  defaults {
    ca_file         = "/lictor/secrets/ca.pem"
    cert_file       = "/lictor/secrets/cert.pem"
    key_file        = "/lictor/secrets/key.pem"
    verify_outgoing = true
  }
  internal_rpc {
    verify_incoming        = true
    verify_server_hostname = true
  }
}

telemetry { prometheus_retention_time = "5m" }

# Nobody may call anybody but whom an intention names.
default_intention_policy = "deny"
