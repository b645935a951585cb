# A mission that is edited while its jobs run.

mission "edited" {
  seed = 1
}

treasury {
  tokens = 1000000000
}

resources {
  energy {
    capacity = 1000000 # what each edit changes
  }
}

worker "machine" {
  count  = 8
  slots  = 2
  skills = ["bench"]
  simulated {}
}

job "part" {
  count  = JOBS
  title  = "Part ${count.index}"
  skills = ["bench"]
  reward = 10
  work   = "100000h"
  labels = { lot = "lot-${count.index % 10}" }
}
