# A recorded scientific workflow, run again with its own edges and run times:
# Montage, 103 tasks that make a mosaic of the sky. Another recording of the
# same format (WfFormat 1.5) works too: put its name into `recording`.

mission "workflow" {
  seed = 1
}

locals {
  recording = jsondecode(file("montage-chameleon-2mass-01d-001.json")).workflow

  tasks = { for t in local.recording.specification.tasks : t.id => t }

  # Run times are recorded apart from the graph, in seconds; a task takes at
  # least a millisecond, and whole ones.
  work_ms = {
    for t in local.recording.execution.tasks :
    t.id => max(1, floor(t.runtimeInSeconds * 1000 + 0.5))
  }
}

treasury {
  tokens = 100000
}

# Machines of one kind, as many as the recording had cores to give.
worker "machine" {
  count  = 8
  skills = ["compute"]
  simulated {}
}

job "task" {
  for_each = local.tasks

  title  = each.value.name
  skills = ["compute"]
  reward = 10
  work   = "${local.work_ms[each.key]}ms"
  needs  = [for parent in each.value.parents : job.task[parent]]
  labels = { program = split("_", each.value.name)[0] }
}
