// Package backend is what a program does with a firewall: read it, change it,
// plan, and remove it again.
//
// nft.Open and sim's Host.Open return the one Firewall type, so code written for
// the kernel runs unchanged in memory.
//
// A Firewall may be used by any number of goroutines. Everything it returns is
// an immutable value, and it keeps none that it is given. Every method that can
// block takes a context; one that ends leaves the kernel as it was, or, when the
// kernel's answer was lost, says ErrUncertain.
//
// # Transactions
//
// For each base chain packets see the old rules or the new ones, never a
// mixture and never a gap. What the new rules refer to (long chains, sets with
// ranges) is put in place first, where no packet looks; one transaction then
// switches the rules, and what nothing refers to any more is taken away. If
// anything before the switch fails, the rules in force are as they were.
package backend
