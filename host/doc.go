// Package host is the one impure centre of Omega: it opens a mission's data
// folder, takes inputs from the world, steps the core, makes what happened
// durable and lets it have its effects.
//
// Laws:
//
//   - only loop.go holds the state of a living mission;
//   - no effect leaves before the entry that caused it is durable;
//   - what should be running is read from the state and nowhere else: a restart
//     is a replay and a look at what is outstanding;
//   - a live run and a --ci run are the same loop under two clocks.
package host
