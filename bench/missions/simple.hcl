# A simple job: no council, so a result is paid as soon as it is there. The
# keeper keeps the mission open while jobs are posted.

mission "simple" {
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
