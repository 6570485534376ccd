Kind = "bogus"
Name = "x"
