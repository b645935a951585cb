# The flagship: a swarm around a star is strengthened, the planets' supplies are
# balanced, and the risks of both are forecast. Seven hours of mission time in about
# a minute, with everything a mission can show: work handed on
# three levels deep, contention for energy and compute, prices that move, a worker
# that fails, one that lies and is slashed for it, a validator that stays away, a
# job that waits for a person, and a deadline that is missed. Scripts take part: a
# guardian watches, a policy limits what may be spent, strategists post jobs as
# things happen, and two of those who judge are scripts. What is meant to fail is
# not required.

mission "omega" {
  seed         = 42
  duration     = "7h"
  owner        = "operator"
  on_exhausted = "ask" # who lacks tokens is put before the owner
}

variable "rings" {
  type        = number
  default     = 12
  description = "How many rings of collectors are built; each holds a quarter of the energy while it is."
}

treasury {
  tokens              = 1500000
  worker_endowment    = 8000
  validator_endowment = 5000
}

resources {
  energy {
    capacity = 1800000
    price    = 1.0
  }
  compute {
    capacity = 8200000
    price    = 1.0
  }
}

governance {
  validator_stake = 250
  committee       = 5
}

autonomy {
  guardian_interval = "18s" # prices are looked at as often as the guardian looks
  resource_target   = 0.80
  price_floor       = 0.35
  price_ceiling     = 14
  price_smoothing   = 0.28
  may               = ["expedite"] # what else the guardian wants is put before the owner
}

delegation {
  max_depth        = 9
  retry            = "10m"
  background_limit = 128
}

checkpoint {
  interval = "2m"
}

# Employers beside the owner. What they have, they have out of the treasury. A
# strategist is one that posts jobs by itself, as its playbook says.

strategist "macro-strategist" {
  budget = 20000
  params = {
    playbook = [
      { # the guardian sees at once that the probe cannot be there in time
        name = "relay"
        when = "alert"
        job  = "probe"
        post = { title = "A relay in place of the probe", reward = 1200, work = "2h30m", simulated = { result = { relayed = true } } }
      },
      { # more than the policy below lets anybody spend at once
        name = "fleet"
        when = "finalized"
        job  = "logistics"
        post = { title = "A fleet of freighters", skills = ["supply-chain"], reward = 11000, work = "3h", simulated = { result = { freighters = 40 } } }
      },
    ]
  }
}

strategist "risk-governor" {
  budget = 15000
  params = {
    playbook = [
      { # a result that the council turned down makes it suspicious
        name = "review"
        when = "attempt_rejected"
        job  = "forecast"
        post = { title = "Review of the forecast", skills = ["validator-guardian"], reward = 600, work = "45m", simulated = { result = { sound = true } } }
      },
    ]
  }
}

account "cosmic-planner" {
  tokens = 3500 # enough for its two jobs, and not for the energy one of them needs
}

# Who watches, and what nobody may do. Change a limit while the mission runs.

guardian {
  params = { deadline_threshold = "75m" }
}

policy "spending" {
  script = "omega:spending"
  on     = ["job.post", "job.delegate", "transfer"]
  params = {
    ask_above  = "6000"  # TOKEN; a person decides
    deny_above = "10000" # not even a person is asked
    share      = "0.9"   # of what the payer has left
  }
}

# Those who do the work. An architect or a supplier may take a job of which it has
# only some of the skills, and hands the rest on.

worker "energy-architect" {
  count     = 6
  skills    = ["energy-architect"]
  delegates = true
  simulated {
    speed = 1.4
  }
}

worker "supply-chain" {
  count  = 3
  skills = ["supply-chain"]
  simulated {
    speed = 1.2
  }
}

worker "validator-ops" {
  count  = 2
  skills = ["validator-ops"]
  simulated {
    speed = 1.0
  }
}

worker "planetary-logistics" {
  count  = 3
  skills = ["planetary-logistics"]
  simulated {
    speed = 1.6
  }
}

worker "macro-research" {
  count  = 2
  skills = ["macro-research"]
  simulated {
    speed = 1.3
  }
}

worker "validator-guardian" {
  count  = 2
  skills = ["validator-guardian"]
  simulated {
    speed = 1.1
  }
}

worker "drifter" { # the fastest supplier, when it does not fail
  skills = ["supply-chain"]
  simulated {
    speed         = 1.8
    failure_ratio = 0.6
  }
}

worker "charlatan" { # faster than all research, and always wrong
  skills = ["macro-research"]
  simulated {
    speed       = 2
    wrong_ratio = 1
  }
}

worker "scribe" { # a program: the only work here that is not simulated
  skills = ["writing"]
  exec {
    command = ["sh", "steps/chronicle.sh"]
    timeout = "30s"
  }
}

# Those who judge it: four by each job's accept block, one with a program of its
# own, two with a script. The last stays away, pays for it, and is drawn last from
# then on.

validator "council" {
  count = 4
}

validator "examiner" {
  exec {
    command = ["sh", "steps/examine.sh"]
    timeout = "30s"
  }
}

validator "assayer" {
  count  = 2
  script = "scripts/assay.js"
}

validator "absentee" {
  simulated {
    absent_ratio = 1
  }
}

# The three jobs it all began with.

job "swarm" {
  title             = "Dyson swarm reinforcement"
  skills            = ["energy-architect", "planetary-logistics"]
  reward            = 9500
  energy_budget     = 120000
  compute_budget    = 260000
  work              = "1h"
  deadline          = "6h"
  validation_window = "4h"
  priority          = "critical"
  labels            = { category = "infrastructure" }
  accept {
    schema    = { type = "object", required = ["cells", "orbits"] }
    condition = result.cells >= 10
  }
  simulated = {
    result = { cells = 24, orbits = 3 }
    delegate = [
      {
        name          = "survey"
        title         = "Survey three orbits"
        skills        = ["planetary-logistics"]
        reward        = 1500
        energy_budget = 20000
        work          = "40m"
        simulated     = { result = { orbits = 3 } }
      },
      {
        name          = "foundry"
        title         = "Cast the reflectors"
        skills        = ["energy-architect", "planetary-logistics"]
        reward        = 3600
        energy_budget = 60000
        work          = "30m"
        needs         = ["survey"]
        simulated = {
          result = { reflectors = 24 }
          delegate = [
            {
              name      = "alloy"
              title     = "Melt the alloy"
              skills    = ["energy-architect"]
              reward    = 900
              work      = "50m"
              simulated = { result = { tonnes = 90 } }
            },
            {
              name   = "launches"
              title  = "Schedule the launches"
              skills = ["planetary-logistics"]
              reward = 900
              work   = "20m"
              simulated = {
                result = { windows = 6 }
                delegate = [
                  {
                    name      = "telemetry"
                    title     = "Check the trackers"
                    skills    = ["validator-ops"]
                    reward    = 200
                    work      = "15m"
                    simulated = { result = { trackers = 12 } }
                  },
                ]
              }
            },
          ]
        }
      },
    ]
  }
}

job "logistics" {
  title             = "Planetary logistics equilibrium"
  employer          = "macro-strategist"
  skills            = ["supply-chain"]
  reward            = 5200
  energy_budget     = 52000
  compute_budget    = 90000
  work              = "2h"
  deadline          = "6h"
  validation_window = "3h"
  priority          = "high"
  labels            = { category = "logistics" }
  accept {
    condition = result.imbalance <= 0.05
  }
  simulated = { result = { imbalance = 0.02, routes = 41 } }
}

job "forecast" {
  title             = "Macro risk forecast grid"
  employer          = "risk-governor"
  skills            = ["macro-research"]
  reward            = 4800
  energy_budget     = 32000
  compute_budget    = 64000
  work              = "90m"
  deadline          = "6h"
  validation_window = "2h"
  priority          = "high"
  labels            = { category = "governance" }
  accept {
    condition = length(result.regions) == 4
  }
  simulated = { result = { regions = ["inner", "belt", "outer", "halo"], worst = "belt" } }
}

# What grows from them. Four rings at a time is all the energy there is: the
# others wait, and the price rises.

job "ring" {
  count          = var.rings
  title          = "Build collector ring ${count.index + 1}"
  skills         = ["energy-architect"]
  reward         = 600
  energy_budget  = 420000
  compute_budget = 1500000
  work           = "50m"
  labels         = { category = "infrastructure" }
  simulated      = { result = { megawatts = 120 + count.index } }
  accept {
    condition = result.megawatts >= 120
  }
}

job "habitat" {
  for_each       = toset(["ceres", "ganymede", "luna", "mars", "titan", "vesta"])
  title          = "Supply ${each.key}"
  needs          = [job.logistics]
  skills         = ["supply-chain"]
  reward         = 400
  energy_budget  = 30000
  compute_budget = 40000
  work           = "70m"
  labels         = { category = "logistics" }
  simulated      = { result = { months = 9 } }
}

job "stress" {
  title     = "Stress test of the forecast"
  employer  = "risk-governor"
  needs     = [job.forecast]
  skills    = ["macro-research"]
  reward    = 1200
  work      = "40m"
  input     = { worst = job.forecast.result.worst }
  simulated = { result = { survived = true } }
  accept {
    condition = result.survived
  }
}

job "books" {
  title     = "Audit of the rings"
  needs     = [job.ring]
  skills    = ["validator-guardian"]
  reward    = 500
  work      = "30m"
  run_if    = "any_end"
  simulated = { result = { balanced = true } }
}

job "chronicle" {
  title  = "Write the chronicle"
  needs  = [job.habitat, job.books]
  skills = ["writing"]
  reward = 300
  work   = "10m"
  input = {
    swarm     = job.swarm.result
    logistics = job.logistics.result
    forecast  = job.forecast.result
    survived  = job.stress.result.survived
  }
  accept {
    condition = result.file == "chronicle.txt" && result.lines >= 5
  }
}

# What is meant to go wrong. The probe cannot be there in time. The beacon cannot
# pay for its energy and waits for a person: `omega approve beacon` lets it wait
# until the probe's tokens come back, `omega deny beacon` ends it.

job "probe" {
  title    = "Deep probe"
  employer = "cosmic-planner"
  skills   = ["planetary-logistics"]
  reward   = 1500
  work     = "8h"
  deadline = "3h"
  required = false
}

job "beacon" {
  title         = "Beacon beyond the heliopause"
  employer      = "cosmic-planner"
  skills        = ["planetary-logistics"]
  reward        = 1800
  energy_budget = 100000
  work          = "1h"
  required      = false
  simulated     = { result = { lit = true } }
}
