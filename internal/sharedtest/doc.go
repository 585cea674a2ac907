// Package sharedtest holds the owner iptables to iptables-nft in the tables that
// they share, for tests only: the netlink messages that either sends for the same
// rules, what either reads of the other's tables, random edits by both in turn,
// and rules that neither made.
package sharedtest
