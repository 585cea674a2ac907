// Package exttest holds every extension to its table of examples, for tests
// only. A table is a text file, testdata/<extension>.txt, of blocks between
// blank lines; "#" begins a line of comment:
//
//	family: ip       # ip (iptables, the default), ip6 (ip6tables) or inet (a table for both)
//	table: filter    # the default
//	chain: INPUT     # the default
//	args: -p tcp --dport 22 -j ACCEPT
//	save: -p tcp -m tcp --dport 22 -j ACCEPT
//	list: tcp dpt:22
//	program:
//	  [meta l4proto -> r1]
//	  [cmp r1 == 06]
//	nft: meta l4proto tcp tcp dport 22 counter packets 0 bytes 0 accept
//
// args is what iptables is given, save what iptables-save prints of it (as args
// where it is left out; several lines where a list of addresses makes several
// rules), list what -L -n prints behind the columns, program the expressions
// without counter and verdict, nft the line that nft list prints.
//
// A block with an error, a part of what ours says, is refused by us and by the
// real iptables. Where the real one differs on purpose the block says so, with a
// comment that says why: "iptables: accepts", "iptables: refuses" or, where it
// has no opinion worth asking for, "iptables: skip". nft-save is what the nft
// variant saves where that is not what we do, legacy-save what the legacy one
// saves; "nft-save: refused" and "nft-save: accepted" are for what only one of
// them takes. "shared: differs"
// is for a rule that iptables-nft spells otherwise than we do in the tables that
// we share with it, with a comment that says why. "reload: no" is
// for a native rule whose listing nft itself cannot load, "reload: reordered" for
// one that it loads as the same statements in another order, "reload: wrong" for one that
// it loads as others; each is looked at.
// "kernel: lacks" is for a rule that the kernel here cannot be given, "kernel:
// removed" for one that no kernel can.
package exttest
