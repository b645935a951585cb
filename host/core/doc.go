// Package core is the mission as a deterministic state machine: a command goes
// in, events come out, and the events alone make the next state.
//
// Laws, kept by layout_test.go and the simulator:
//
//   - no clock, dice, disk, goroutine, float or map iteration: Input.At is the
//     time, draws come from the seed and from digests of recorded entries;
//   - Step checks first and emits afterwards: it refuses before the first event
//     or not at all;
//   - only evolve.go writes the state, and it reads nothing but events, so
//     replaying a journal asks nobody and decides nothing;
//   - what should be running is a function of the state: see Outstanding.
//
// Units: times and durations are milliseconds, amounts are minor units of
// ledger.Scale decimals, ratios are parts per million.
package core
