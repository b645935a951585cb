at "3m" { order = ["pause"] }
at "3m" { order = ["resume"] }
at "3m" { order = ["cancel", "nobody"] }
at "50m" { order = ["deny", "dear", "--reason", "nobody has that much"] }
at "145m" { order = ["approve", "piece_0"] }
