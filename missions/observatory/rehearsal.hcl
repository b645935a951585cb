# What the owner does in a rehearsal (omega run --ci).

at "30m" {
  order = ["approve", "survey", "--reason", "two fields are fine"]
}

at "1h" { # a policy with a mistake in it: refused, and nothing changes
  edit = "broken"
}

at "2h" { # scripts/rules.js lets the strategist spend more
  edit = "v2"
}
