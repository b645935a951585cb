# Declared simple jobs that take no time, in a mission that stays open when they
# have ended.

mission "aged" {
  seed = 1
}

treasury {
  tokens           = 1000000000
  worker_endowment = 1000000
}

governance {
  committee = 0
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

job "swarm" {
  count  = JOBS
  skills = ["bench"]
  reward = 10
  work   = "0s"
}
