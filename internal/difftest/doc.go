// Package difftest makes rules at random out of the option tables of every
// match and target, most of them valid, many at the border of it, some beyond,
// and its tests give them to us, to iptables-legacy and to iptables-nft: each
// rule is accepted or refused by all alike, and saved as the same text.
//
// A match or target that is added to the registry takes part at once. Options
// whose Want names the bounds of a number need nothing; every other option has
// a [Value] of its own in the tables of this package, and a test fails by name
// where one is missing.
//
// Where the peers differ from us, and from each other, testdata/differences.txt
// says so, with the reason. An entry that explains nothing any more fails.
package difftest
