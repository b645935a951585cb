// Package missionfile turns a mission, one HCL file or a folder of them, into a
// core.Spec and a stream of core.JobSpec, or into diagnostics with ranges.
//
// Laws:
//
//   - Whatever the bytes are, Load answers; it never panics, never overflows
//     the stack and reads nothing outside the mission folder.
//   - The same sources give the same spec, jobs, inputs and judgements on every
//     machine: Compile(Entry, Sources) is Load without a disk. No function of
//     the language knows a clock, a random number or the environment.
//   - core.Settings, WorkerSettings and JobSettings are the only table of what
//     may be written; this package adds structure, never a tunable.
//   - A job block stays a template. Load looks at every instance once and
//     forgets it; Expand makes them again, a batch at a time.
//
// Instances of a count run from 0; those of a for_each go by the bytes of their
// keys, except that a list or set of strings is taken as the set of its values.
// Blocks follow each other in file order, the files of a folder in name order.
package missionfile
