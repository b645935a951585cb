# What the owner does in a rehearsal (omega run --ci).

at "2h" {
  order = ["pause"]
}

at "2h30m" {
  order = ["resume"]
}

at "4h" {
  order = ["approve", "beacon", "--reason", "let it wait for the probe's tokens"]
}
