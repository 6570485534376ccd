server = false

service {
  name = "caller"
  connect {
    sidecar_service {
      proxy {
        upstreams = [{ destination_name = "echo", local_bind_port = 9191 }]
      }
    }
  }
}
