// Package lab makes throwaway hosts for tests and examples: network namespaces
// wired with veth pairs, with real sockets, real servers and crafted packets.
//
// A [Lab] owns its hosts. A [Host] is one network namespace, held by a file
// descriptor only: nothing appears in /run/netns, and when the lab is closed
// the kernel takes the namespace down with everything in it. The namespace
// that the program was started in is never changed: both ends of a cable are
// created inside hosts.
//
//	l, err := lab.New(ctx)
//	mail, err := l.Host("mail")
//	peer, err := l.Host("peer")
//	err = l.Wire(mail.End("eth0", "192.168.1.101/24"), peer.End("eth0", "192.168.1.102/24"))
//	_, err = mail.Echo("tcp", netip.MustParseAddrPort("192.168.1.101:25"))
//	state, err := peer.Connect(ctx, "tcp", netip.MustParseAddrPort("192.168.1.101:25")) // lab.Open
//
// Making namespaces needs CAP_SYS_ADMIN. A program that may be started by an
// ordinary user calls [Enter] first thing in main, which runs the program
// again inside a user namespace of its own; tests call labtest.Main from
// TestMain. Where neither is possible the error is [ErrNoPrivilege].
//
// # Quiet hosts
//
// What a real host does by itself would be noise in a test's counters, so a
// new host comes without router solicitations, without duplicate address
// detection, without reverse path filter and without limits on the ICMP
// errors that it answers with. [Host.Sysctl] changes that. [Lab.Introduce]
// silences ARP and neighbour discovery too.
//
// The package works on Linux only.
package lab
