# Many jobs that run for years beside eight real processes.

mission "crowd" {
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
  count  = 100
  slots  = 1024
  skills = ["bench"]
  simulated {}
}

worker "real" {
  count  = 8
  skills = ["real"]
  exec {
    command = ["sleep", "100000"]
    timeout = "24h"
  }
}

job "real" {
  count  = 8
  skills = ["real"]
  reward = 10
}

job "crowd" {
  count  = JOBS
  skills = ["bench"]
  reward = 10
  work   = "100000h"
}
