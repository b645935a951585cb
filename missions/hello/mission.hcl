# The weather of one month, from the raw readings of three stations and a river
# gauge to a report. Every job is a small program in steps/; the validators do
# not believe what it says: they read data/ themselves and compare.

mission "hello" {
  seed = 1
}

locals {
  stations = ["coast", "hills", "valley"]

  # What the validators compute on their own. A good row has three numbers, the
  # low not above the high.
  rows = { for s in local.stations : s => csvdecode(file("data/${s}.csv")) }
  good = {
    for s, rows in local.rows : s => [
      for r in rows : r if try(tonumber(r.low) <= tonumber(r.high) && tonumber(r.rain) >= 0, false)
    ]
  }
  river = compact(split("\n", file("data/river.txt")))
}

treasury {
  tokens = 2000
}

resources {
  energy {
    capacity = 200
    price    = 20 # tokens for 1,000 units: one unit is one row read
  }
  compute {
    capacity = 200
    price    = 10
  }
}

delegation {
  max_attempts  = 3
  retry_backoff = "1s"
}

worker "reader" {
  count  = 2
  skills = ["stations"]
  exec {
    command = ["sh", "steps/station.sh"]
    timeout = "10s"
  }
}

worker "gauge" {
  skills = ["river"]
  exec {
    command = ["sh", "steps/river.sh"]
    timeout = "10s"
  }
}

worker "clerk" {
  skills = ["sums"]
  exec {
    command = ["sh", "steps/month.sh"]
    timeout = "10s"
  }
}

worker "writer" {
  skills = ["words"]
  exec {
    command = ["sh", "steps/report.sh"]
    timeout = "10s"
  }
}

# One job for each station: drop the bad rows, count, find the extremes. The
# good rows are left behind as a file.
job "station" {
  for_each       = local.stations
  title          = "Read the ${each.key} station"
  skills         = ["stations"]
  reward         = 20
  work           = "3s"
  energy_budget  = 50
  compute_budget = 50
  input          = { station = each.key }
  accept {
    condition = (
      result.rows == length(local.rows[each.key]) &&
      result.kept == length(local.good[each.key]) &&
      result.kept + result.dropped == result.rows &&
      result.low == min([for r in local.good[each.key] : tonumber(r.low)]...) &&
      result.high == max([for r in local.good[each.key] : tonumber(r.high)]...) &&
      result.wettest.rain == max([for r in local.good[each.key] : tonumber(r.rain)]...)
    )
  }
}

# The first call to the gauge is never answered; the second is.
job "river" {
  title         = "Ask the river gauge"
  skills        = ["river"]
  reward        = 15
  work          = "2s"
  energy_budget = 100
  accept {
    condition = (
      result.readings == length(local.river) &&
      result.crest == max([for line in local.river : tonumber(split(" ", line)[2])]...)
    )
  }
}

# Waits for all three stations, because its input names their results.
job "month" {
  title          = "Add the stations up"
  skills         = ["sums"]
  reward         = 20
  work           = "1s"
  compute_budget = 50
  input          = { stations = [for s in local.stations : job.station[s].result] }
  accept {
    condition = (
      result.kept == length(flatten(values(local.good))) &&
      result.rain == result.by.coast + result.by.hills + result.by.valley &&
      contains(local.stations, result.wettest.station)
    )
  }
}

job "report" {
  title  = "Write the report"
  skills = ["words"]
  reward = 30
  work   = "1s"
  input = {
    month    = job.month.result
    river    = job.river.result
    stations = [for s in local.stations : job.station[s].result]
  }
  accept {
    condition = (
      result.file == "report.txt" &&
      result.stations == length(local.stations) &&
      result.lag >= 0
    )
  }
}
