// Package packettest sends the same packets through the real iptables-legacy in
// one lab and through us in others, and compares what came of them: what every
// rule and policy counted, and, where packets are rewritten or answered, what
// left, byte for byte. It consists of tests.
//
// A lab is three hosts on two cables. The one in the middle has the rules:
//
//	peer 192.168.1.102 fd00:1::102 -- eth0 host eth1 -- far 10.9.0.2 fd00:9::2
//	             192.168.1.101 fd00:1::101  10.9.0.1 fd00:9::1
//
// Rules without a target only count, so that every rule of a table sees every
// packet: a few dozen packets against a few hundred rules are thousands of
// comparisons. Where they are not the same the test says which packets differ.
package packettest
