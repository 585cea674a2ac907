// Package sim is a host in memory, so that a firewall can be tried where there
// is no kernel to program: on a laptop, in a test, on any operating system and
// without privileges.
//
// A [Host] holds tables, chains, rules and sets as nf_tables does and changes
// them in the kernel's transactions: all operations of a batch or none, the
// kernel's errors on the operations that it would refuse, its handles, its
// generation, its limits on how deep chains may jump. Time is the host's own and
// stands still but for [Host.Advance]. One suite holds the kernel
// and this package to the same answers.
package sim
