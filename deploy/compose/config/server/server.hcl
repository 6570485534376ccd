server           = true
bootstrap_expect = 3
performance { raft_multiplier = 1 }

# Written once, when the entry is missing.
config_entries {
  bootstrap = [
    {
      kind    = "service-intentions"
      name    = "echo"
      sources = [{ name = "caller", action = "allow" }]
    }
  ]
}
