// Package bench holds the library against its peers: iptables in both variants,
// and the kernel alone, given messages that were written before. Each benchmark
// runs all of them in turn, on hosts of the same kind, so that what it reports
// are ratios that mean something on a busy machine too:
//
//	go test ./internal/bench -run '^$' -bench .
//
// "x-legacy" is how many times as long as iptables-legacy we take. It has tests
// only.
package bench
