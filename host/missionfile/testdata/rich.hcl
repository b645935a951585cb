# Every part of the language this version has.
mission "rich" {
  seed         = 42
  duration     = "18h"
  owner        = "operator"
  on_exhausted = "fail"
}

locals {
  regions = ["eu west", "us", "ap"]
  pay     = 2e2 + 0.1 * 3
  stages  = { for r in local.regions : r => strlen(r) }
}

treasury {
  tokens              = "1500000.50"
  worker_endowment    = 5000
  validator_endowment = 500
}

resources {
  energy {
    capacity = 1800000
    price    = 1.0
  }
  compute {
    capacity = 8.2e6
  }
}

governance {
  committee      = 3
  commit_window  = 90
  reveal_window  = "1.5m"
  slash_shares   = { employer = 0.25, treasury = 0.5, burn = 0.25 }
  slash_ratio    = 1 / 2
}

delegation {
  max_attempts = 2
}

checkpoint {
  interval = "40s"
}

worker "architect" {
  count  = 3
  skills = ["design", "build"]
  slots  = 2
  simulated {
    speed         = 1.4
    failure_ratio = 0.02
  }
}

worker "region" {
  for_each = toset(local.regions)
  skills   = ["survey", "n${strlen(each.key)}"]
  simulated {
    speed = strlen(each.key)
  }
}

worker "analyst" {
  skills = ["research"]
  exec {
    command = ["python3", "analyse.py"]
    env     = ["LANG"]
    memory  = 268435456
  }
}

validator "v" {
  count = 4
}

job "plan" {
  title  = "Plan ${upper("it")}"
  skills = ["design"]
  reward = local.pay
  labels = { category = "infra", stage = 1 }
  simulated = { result = { cells = 12, list = [1, 2.50] } }
  accept {
    condition = result.cells >= 10 && length(result.list) == 2
  }
}

job "part" {
  count         = 5
  skills        = ["build", "design"]
  reward        = 10 + count.index
  energy_budget = 1000
  work          = "${count.index + 1}m"
  priority      = count.index == 0 ? "critical" : "low"
  needs         = count.index == 0 ? [job.plan] : [job.part[count.index - 1]]
  input         = { index = count.index, text = "a\u00e9" }
}

job "survey" {
  for_each = local.stages
  skills   = ["survey"]
  reward   = each.value
  deadline = "24h"
  run_if   = "any_end"
  needs    = job.part
  input    = { plan = job.plan.result.cells, last = try(job.part[4].result.ok, null) }
  simulated {
    result = { region = each.key }
  }
}

job "report" {
  skills   = ["research"]
  reward   = 0.000001
  required = false
  timeout  = 30
  input = {
    all  = [for k, s in job.survey : "${k}=${s.result.region}"]
    west = job.survey["eu west"].result
    lot  = job.part[*].result
  }
}
