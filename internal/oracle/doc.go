// Package oracle runs the real tools inside a lab's hosts, for tests only:
// iptables in its legacy and its nft variant, nft, nmap and conntrack. What
// they print and what the kernel then does is what ours is held to.
//
// A tool that is not installed is a failed probe: the test is skipped, or
// fails (see labtest.Require). Each run is bounded in time.
//
//	host, peer := labtest.Pair(t)
//	ipt := oracle.Legacy(t, host)
//	ipt.Must("-A", "INPUT", "-p", "tcp", "--dport", "80", "-j", "DROP")
//	text := ipt.Save("-c")
//
// The corpus of real rulesets is package oracle/corpus, which builds on every
// operating system. This package works on Linux only.
package oracle
