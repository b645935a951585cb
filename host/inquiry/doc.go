// Package inquiry answers what people ask of a mission's record: how a job came
// to where it is, and what everything has cost.
//
// An answer is folded from the entries one by one, because the state forgets a
// job that has ended. What is kept is what was asked for: the story of one job
// and its family, or a sum for each row of a bill. Jobs are followed while they
// are open and then reduced to sums.
package inquiry
