// Package projection folds a mission's entries into what people and programs
// read beside the journal: the artifacts of the status folder, the progress
// lines of a run and its report.
//
// Laws:
//
//   - every byte is a function of the journal: no clock, no map order, no fact
//     of the host. Applying the same entries again, with flushes anywhere, gives
//     the same artifacts;
//   - a history line belongs to an entry, never to a flush. A history is cut,
//     when it reaches twice its retention, to its newest lines;
//   - every artifact is bounded: lists keep open things first and say how much
//     is left out;
//   - only what an entry records is read of its command: a replayed entry holds
//     no more.
//
// A Set follows one state: whoever owns the state calls Apply after each entry.
// Apply looks at no more jobs than the entry names. Nothing is synced to disk: a
// folder that is damaged or lost is written again from the journal.
//
// Units: times are milliseconds of mission time, amounts are decimal strings of
// whole units, ratios are decimal strings between 0 and 1.
package projection
