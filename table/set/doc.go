// Package set is sets of one's own: named nf_tables sets of a table, filled and
// emptied without touching a rule. (The kernel's ipsets are match.Set and
// target.SET.)
//
// A Set says what the elements are; a table has it with Table.WithSet (exactly
// these elements) or Table.WithSets (elements come and go by Edit), and rules look
// packets up with Set.Contains and Set.Lacks. In a table for both families a set
// of addresses holds IPv4 and IPv6 behind the one name.
//
// Elements of ranges never overlap in the kernel. A set merges what overlaps: an
// element that is added fills the gaps between those that are there, so that each
// can be removed again and the others stay, and an address that two elements cover
// stays as long as the later of the two says. A set that is Disjoint refuses it.
//
// Timeouts are whole seconds, as in ipset.
package set
