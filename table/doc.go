// Package table is the five tables of iptables and rulesets made of them, and
// their text: iptables-save format in and out, the -L listing, lint.
//
// Tables and rulesets are immutable values in a normal form, so that what is
// read back from a kernel equals what was given: a table holds its built-in
// chains in the order of their hooks and then its user chains sorted by name; a
// ruleset holds its tables in the order in which iptables-nft-save prints them.
// Neither order says anything to a packet.
//
// A table holds the chains that it was given and no other: a built-in chain that
// it does not name is not in it, and its text has no line for it. Complete adds
// those that are missing, empty and with the policy ACCEPT, as iptables' own
// tables always have them.
package table
