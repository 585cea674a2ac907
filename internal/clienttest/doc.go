// Package clienttest is what a user of the library writes: whole programs (a
// mail host, a container engine, a VPN, a service proxy) and whole days in their
// lives, against the public packages alone, in memory and on a real kernel. It
// consists of tests.
//
// A program is a file named for it. What is asked of every program is in
// world_test.go: that nothing is left to do after Apply, that what is read
// equals what was given, and that what nft lists loads again.
package clienttest
