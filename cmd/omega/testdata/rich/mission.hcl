# A mission in which nearly everything happens: the forms of all artifacts are
# held against what it leaves.
mission "rich" {
  seed         = 7
  owner        = "operator"
  on_exhausted = "ask"
}
treasury {
  validator_endowment = 400
  tokens              = 4480
}
resources {
  energy {
    capacity = 6000
    price    = 20
  }
  compute {
    capacity = 3000
  }
}
autonomy {
  guardian_interval = "1m"
  price_ceiling     = 22
}
delegation {
  retry = "2m"
}
checkpoint {
  interval = "5m"
}
account "patron" {
  tokens = 600
}
worker "fast" {
  skills = ["craft"]
  count  = 2
  simulated {
    speed         = 2
    failure_ratio = 0.2
    wrong_ratio   = 0.2
  }
}
worker "slow" {
  skills = ["craft", "plan"]
  simulated {}
}
validator "keen" {
  count = 4
  simulated {}
}
validator "idle" {
  count = 2
  simulated {
    absent_ratio = 0.7
    wrong_ratio  = 0.2
  }
}
job "piece" {
  count          = 12
  title          = "Piece \"${count.index}\" <of> work"
  skills         = ["craft"]
  reward         = 20
  energy_budget  = 900
  compute_budget = 100
  work           = "10m"
  required       = false
}
job "parent" {
  skills        = ["plan"]
  reward        = 200
  energy_budget = 1000
  work          = "20m"
  simulated {
    result = { parts = 2 }
    delegate = [
      { name = "left", skills = ["craft"], reward = 30, work = "5m" },
      { name = "right", skills = ["craft"], reward = 30, work = "15m", needs = ["left"] },
    ]
  }
}
job "commission" {
  employer = "patron"
  skills   = ["craft"]
  reward   = 300
  needs    = [job.parent]
}
job "second" {
  employer = "patron"
  skills   = ["craft"]
  reward   = 200
  required = false

  energy_budget = 5000
}
job "dear" {
  skills   = ["craft"]
  reward   = 10
  required = true

  energy_budget = 6000
}
job "late" {
  skills   = ["plan"]
  reward   = 5
  work     = "2h"
  deadline = "30m"
  required = false
}
job "after" {
  skills   = ["craft"]
  reward   = 5
  needs    = [job.late]
  required = false
}
