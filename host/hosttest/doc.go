// Package hosttest is the simulator: the host's real loop, recovery, desk and
// journal in a faulty world, all of it decided by one seed. There is nothing to
// import here; the package is its tests.
//
// A seed makes a mission, then a world: workers that answer, fail, lie, hang,
// hand work on or speak too late; validators that dissent or fall silent, and
// some with keys of their own that copy, forge, repeat, withhold or sign twice;
// stewards that want what they may and what cannot be; orders at any instant, edits, clocks that are set back, processes that are
// killed, disks that fail and machines that lose their power at any call to the
// file system. Then the faults stop, and everything must come to an end.
//
// Laws:
//
//   - The checkers (law_*_test.go) share no code with what they check: they read
//     the recorded bytes alone, with their own decoder, ledger, rounding and
//     SHA-256 layouts, written from docs/journal.md.
//
//   - They run after every entry, and again over the journal that a crash leaves.
//
//   - One seed is one run: a single goroutine turns the host, wall time is a
//     number, and the journal's writer moves only when it is let (disk_test.go).
//
//   - In the end an auditor, which shares nothing with the checkers either, adds
//     every transfer up by the table of docs/journal.md.
//
//   - Every step of the faulty part has dice of its own, so that steps can be left
//     out: a failing seed is shrunk to the few that it takes, and printed.
//
//   - A run that did too little of what it is for proves nothing and fails.
//
//     go test ./host/hosttest                                a few hundred seeds
//     OMEGA_SEEDS=1-2000 go test ./host/hosttest -run TestSimulation
//     OMEGA_SEEDS=17 OMEGA_TRACE=1 go test ./host/hosttest -run TestSimulation
//     OMEGA_SEEDS=17 OMEGA_DROP=s0-71,j2,w1,ways go test ./host/hosttest -run TestSimulation
package hosttest
