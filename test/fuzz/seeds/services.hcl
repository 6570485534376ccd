service {
  id   = "web-1"
  name = "web"
  tags = ["v1", "blue"]
  port = 8080
  address = "127.0.0.1"
  meta = { version = "1" }
  weights = { passing = 10 warning = 1 }
  tagged_addresses { lan = { address = "127.0.0.1" port = 8080 } }
  checks = [
    { name = "http" http = "http://127.0.0.1:8080/health" interval = "10s" timeout = "1s" header = { X = ["a"] } method = "GET" },
    { id = "ttl" ttl = "30s" status = "warning" success_before_passing = 2 },
    { tcp = "127.0.0.1:8080" interval = "5s" deregister_critical_service_after = "1h" }
  ]
  connect {
    sidecar_service {
      port = 21001
      proxy {
        upstreams = [
          { destination_name = "db" local_bind_port = 9191 config { connect_timeout_ms = 1000 } },
          { destination_type = "prepared_query" destination_name = "q" local_bind_port = 9192 }
        ]
        config { bind_address = "127.0.0.1" handshake_timeout_ms = 5000 }
        expose { paths = [{ path = "/health" listener_port = 21500 local_path_port = 8080 protocol = "http" }] }
      }
    }
  }
}
services {
  name = "db"
  socket_path = "/tmp/db.sock"
  enable_tag_override = true
}
check {
  id    = "mem"
  name  = "memory"
  ttl   = "1m"
  notes = <<NOTE
as text over
several lines
NOTE
}
