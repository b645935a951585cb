# A night at an observatory. All work is done by scripts, all results are judged by
# scripts, policies watch what begins and what is spent, a strategist posts jobs of
# its own, and the guardian watches all of it.

mission "observatory" {
  seed     = 4
  duration = "12h"
}

treasury {
  tokens = 5000
}

resources {
  energy {
    capacity = 500
    price    = 2
  }
}

governance {
  validator_stake = 5
  committee       = 3
}

autonomy {
  guardian_interval = "5m"
  may               = ["expedite"]
}

locals {
  # Brightness over time. For each star, how its period is looked for: between two
  # bounds, in minutes. The reference star is known well: what is measured of it
  # tells how good the night was.
  stars = [
    { star = "algol", from = 2500, to = 6000, work = "40m", reference = "yes" },
    { star = "rr-lyrae", from = 500, to = 1200, work = "40m", reference = "no" },
    { star = "delta-cephei", from = 5000, to = 12000, work = "40m", reference = "no" },
    { star = "mira", from = 6000, to = 14000, work = "3h", reference = "no" },
  ]
  series = [for s in local.stars : {
    star    = s.star
    from    = s.from
    to      = s.to
    samples = [for row in csvdecode(file("data/${s.star}.csv")) : [tonumber(row.minute), tonumber(row.millimag)]]
  }]
}

# Who watches.

guardian {
  params = { deadline_threshold = "20m" }
}

policy "rules" { # see scripts/rules.js
  script = "scripts/rules.js"
  on     = ["job.assign", "job.delegate", "job.post"]
}

policy "thrift" { # what would happen if spending were limited harder
  script = "omega:spending"
  on     = ["job.assign", "job.delegate", "job.post"]
  mode   = "shadow"
  params = { ask_above = "30", deny_above = "60" }
}

# Who posts jobs. After each star a second look at it, and what must not be missed
# once more, with time enough.

strategist "director" {
  budget = 300
  params = {
    playbook = concat(
      [for i, series in local.series : {
        name = "second"
        when = "finalized"
        job  = "star_${i}"
        post = { title = "Second look at ${series.star}", skills = ["period"], reward = 60, energy_budget = 100, work = "20m", input = series }
      }],
      [{
        name = "relief"
        when = "alert"
        job  = "occultation"
        post = { title = "The occultation, from the recording", reward = 30, energy_budget = 100, input = local.series[1] }
      }],
    )
  }
}

# Who works.

worker "astronomer" {
  count  = 2
  slots  = 3
  skills = ["period"]
  script = "scripts/period.js"
}

worker "hasty" { # see there
  count  = 2
  slots  = 2
  skills = ["period"]
  script = "scripts/hasty.js"
}

worker "planner" {
  skills = ["survey"]
  script = "scripts/survey.js"
}

worker "counter" {
  count  = 2
  skills = ["count"]
  script = "scripts/count.js"
}

worker "clerk" {
  skills = ["catalogue"]
  script = "scripts/catalogue.js"
}

# Who judges.

validator "checker" {
  count  = 4
  script = "scripts/check.js"
}

# What is to be done.

job "star" {
  count         = length(local.stars)
  title         = "The period of ${local.stars[count.index].star}"
  skills        = ["period"]
  reward        = 100
  energy_budget = 100
  work          = local.stars[count.index].work
  labels        = { reference = local.stars[count.index].reference }
  input         = local.series[count.index]
}

job "survey" {
  title  = "Count the sources in both fields"
  skills = ["survey"]
  reward = 80
  work   = "5m"
  input  = { fields = { north = file("data/north.txt"), south = file("data/south.txt") } }
}

job "catalogue" {
  title  = "The catalogue of this night"
  skills = ["catalogue"]
  reward = 60
  work   = "10m"
  input = {
    stars  = [job.star[0].result, job.star[1].result, job.star[2].result, job.star[3].result]
    survey = job.survey.result
  }
}

job "occultation" { # meant to be missed: half an hour of work, and twenty minutes
  title         = "The moon covers rr-lyrae"
  skills        = ["period"]
  reward        = 25
  energy_budget = 100
  work          = "30m"
  deadline      = "20m"
  required      = false
  input         = local.series[1]
}
