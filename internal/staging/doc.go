// Package staging is how processes tell what one of them has put in place for a
// change that is not in force yet, and what is left over of one that is.
//
// A change that takes more than one transaction has a journal: a table beside the
// owner's, in which sets name what the change makes before its switch ("staged")
// and what it takes away after it ("swept").
//
//	table ip mailhost-stage-5f3a… { comment "gatehouse/1 mailhost"
//	    set staged { type mark; elements = { 0x0 comment "chain ip mailhost-filter INPUT.p1 INPUT.p2" } }
//	    set swept  { type mark; elements = { 0x0 comment "set ip mailhost-filter ports_25_80-90" } }
//	}
//	table ip mailhost-live-5f3a… { flags owner }
//
// The journal is there before what it names, and the switch deletes the set staged
// in the same transaction that puts the rest in force. So whoever reads can tell at
// every moment what belongs to the ruleset: not what is staged while the set is
// there, and not what is to be swept once it is not. The journal goes with the last
// of what was swept.
//
// The second table is the lock. The kernel takes it away with the socket that made
// it: as long as it is there, the process lives, and nobody else touches what its
// journal names, nor makes anything of such a name. A journal without it is a dead
// process's, and the next change of the owner's tables takes away what it names. A
// change that only has to sweep has no lock: anybody may do that.
//
// What somebody's rule refers to by now, or leads to, is never taken away.
package staging
