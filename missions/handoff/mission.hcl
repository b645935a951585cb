# A planner hands its job on to child jobs, programs do them, and a program
# judges every result. docs/programs.md explains what they read and write.

mission "handoff" {
  seed = 1
}

treasury {
  tokens = 1000
}

worker "planner" {
  skills = ["plan"]
  exec {
    command = ["sh", "steps/plan.sh"]
    timeout = "10s"
  }
}

worker "counter" {
  count  = 2
  skills = ["count"]
  exec {
    command = ["sh", "steps/count.sh"]
    timeout = "10s"
  }
}

# A council has at least three seats.
validator "checker" {
  count = 3
  exec {
    command = ["sh", "steps/check.sh"]
    timeout = "10s"
  }
}

# Children are paid out of their parent's reward.
job "census" {
  title  = "Count what was seen on both banks"
  skills = ["plan"]
  reward = 100
  work   = "1s"
}
