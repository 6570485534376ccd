server = false

service {
  name = "echo"
  port = 9090
  check {
    http     = "http://127.0.0.1:9090/health"
    interval = "2s"
  }
  connect { sidecar_service {} }
}
