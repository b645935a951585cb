# As many simple jobs as the placeholder says, declared in the file.

mission "swarm" {
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

job "swarm" {
  count  = JOBS
  skills = ["bench"]
  reward = 10
}
