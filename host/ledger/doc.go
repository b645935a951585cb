// Package ledger is double entry on integers: accounts, transfers between them, two-phase transfers,
// and a closed list of refusals. It is pure: no clock, no randomness, no goroutine, no disk, no floats,
// and no map is ever iterated. The same calls in the same order give the same ledger on any machine.
//
// Units. There are three units, TOKEN, ENERGY and COMPUTE. An [Amount] counts minor units, one
// millionth of a whole unit; outside the program it is a decimal string in whole units ("9500.25").
// A [Ratio] counts parts per million. Times are integer milliseconds on a clock of the caller's.
//
// Laws, each checked by [Ledger.Audit]:
//
//   - The balances of a unit sum to zero after every transfer.
//   - Only minted is ever negative. Every other account can always pay its pending debits.
//   - A batch is applied whole or not at all; its later transfers see its earlier ones.
//   - What is pending is counted: an account's pending debits and credits are the sums over the open
//     pending transfers that name it, so a posting can neither overdraw nor overflow.
//   - No balance is ever below -(2^63-1), so every amount can be negated.
//
// The hot path is [Ledger.Apply] of single-phase transfers: no map lookup, no allocation, a few
// nanoseconds each. Names are resolved once, by [Ledger.Open], to dense account ids.
package ledger
