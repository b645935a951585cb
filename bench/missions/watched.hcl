# Many jobs that are open for years, and a guardian that looks at them.

mission "watched" {
  seed = 1
}

treasury {
  tokens           = 1000000000
  worker_endowment = 1000000
}

autonomy {
  guardian_interval = "10s"
  price_smoothing   = 0
}

governance {
  committee = 0
}

checkpoint {
  interval = "24h"
}

delegation {
  background_limit = 0
  retry            = "24h"
}

worker "machine" {
  count  = 10
  skills = ["bench"]
  simulated {}
}

guardian {
  script = "omega:guardian"
}

job "watched" {
  count    = JOBS
  skills   = ["bench"]
  reward   = 10
  work     = "10000h"
  deadline = "${1000 + count.index % 1000}h"
  priority = count.index % 100 == 0 ? "critical" : "normal"
}
