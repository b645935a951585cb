# What the rich mission has not: variables, secrets, accounts, kinds of
# validators, schemas and child jobs.
variable "sites" {
  type        = set(string)
  default     = ["north", "south"]
  description = "Where to look."
}

variable "pay" {
  type    = object({ base = number, bonus = optional(number, 0.5) })
  default = { base = 2 }
}

variable "token" {
  default   = null
  sensitive = true
}

locals {
  access = { token = var.token, url = "https://example.org" }
  reply  = { type = "object", required = ["n"], properties = { n = { type = "integer" } } }
}

mission "whole" {
  owner = "city"
}

treasury {
  tokens = 5000
}

account "lab" {
  tokens = 100
}

worker "scout" {
  skills = ["look"]
  simulated {}
}

worker "script" {
  skills = ["write"]
  exec {
    command = ["sh", "write.sh", local.access.url]
    secrets = { TOKEN = var.token }
  }
}

validator "rule" {
  count = 3
}

validator "model" {
  for_each = var.sites
  simulated {
    absent_ratio = strlen(each.key) / 100
  }
}

validator "program" {
  exec {
    command = ["sh", "judge.sh"]
    secrets = { TOKEN = var.token }
  }
}

job "look" {
  for_each = var.sites
  employer = each.key == "north" ? "lab" : "city"
  skills   = ["look"]
  reward   = var.pay.base + var.pay.bonus
  accept {
    schema    = local.reply
    condition = result.n > 0
  }
  simulated {
    result = { n = 3 }
    delegate = [
      { name = "first", skills = ["look"], reward = 0.5 },
      { skills = ["look"], reward = "0.25", needs = ["first"], simulated = { result = 1 } },
    ]
  }
}

job "write" {
  skills = ["write"]
  reward = 1
  needs  = [for s in var.sites : job.look[s]]
  input  = { north = job.look["north"].result.n }
}
