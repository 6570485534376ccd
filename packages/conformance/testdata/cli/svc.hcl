service { name = "api" port = 9090 }
