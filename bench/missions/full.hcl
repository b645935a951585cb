# A full job life: stake, five commitments, five reveals, settlement. The
# keeper keeps the mission open while jobs are posted.

mission "full" {
  seed = 1
}

treasury {
  tokens              = 1000000000
  worker_endowment    = 1000000
  validator_endowment = 1000000
}

governance {
  committee = 5
}

delegation {
  background_limit = 0
}

worker "machine" {
  count  = 8
  slots  = 1024
  skills = ["bench"]
  simulated {}
}

worker "keeper" {
  skills = ["keep"]
  simulated {}
}

job "keeper" {
  skills = ["keep"]
  reward = 0
  work   = "100000h"
}

validator "rule" {
  count = 5
}
