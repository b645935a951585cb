// Command bench measures Omega beside what the disk itself can do, in the same
// run: every row that writes has as its peer a bare loop that appends the same
// bytes to a file and calls fdatasync, with the same number of them to share a
// sync. Rounds of all rows are interleaved and medians taken, because machines
// are shared; what carries over from one machine to another is the ratio, and
// the counts: CPU, bytes, syncs and allocations per job.
//
// It prints a table and writes out/latest.json. docs/performance.md says how to
// read both.
package main
