//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// The addresses of the two hosts.
const (
	hostIPv4 = "192.168.1.101"
	hostIPv6 = "fd00:192:168:1::101"
	peerIPv4 = "192.168.1.102"
	peerIPv6 = "fd00:192:168:1::102"
)

// listening are the ports that servers on the mail host listen on.
var listening = [...]uint16{22, 25, 80, 110, 143}

// network is the mail host, its peer and the cable between them.
type network struct {
	lab        *lab.Lab
	host, peer *lab.Host
}

// newNetwork wires the hosts up and starts the servers.
func newNetwork(ctx context.Context) (n *network, err error) {
	n = &network{}
	if n.lab, err = lab.New(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close())
		}
	}()
	if n.host, err = n.lab.Host("mailhost"); err != nil {
		return nil, err
	}
	if n.peer, err = n.lab.Host("peer"); err != nil {
		return nil, err
	}
	err = n.lab.Wire(
		n.host.End("eth0", hostIPv4+"/24", hostIPv6+"/64"),
		n.peer.End("eth0", peerIPv4+"/24", peerIPv6+"/64"),
	)
	if err != nil {
		return nil, err
	}
	for _, port := range listening {
		for _, any := range [...]netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
			if _, err := n.host.Echo(tcp(any), netip.AddrPortFrom(any, port)); err != nil {
				return nil, err
			}
		}
	}
	return n, nil
}

// tcp is the network's name for one family alone.
func tcp(a netip.Addr) string {
	if a.Is4() {
		return "tcp4"
	}
	return "tcp6"
}

// Close takes the hosts away.
func (n *network) Close() error { return n.lab.Close() }

// scan tries every port from 1 to 1024 of the mail host by TCP connect, from the
// peer, and prints what nmap -sT would.
func (n *network) scan(ctx context.Context, w io.Writer, addr string) error {
	const first, last = 1, 1024
	states, err := n.peer.Scan(ctx, netip.MustParseAddr(addr), first, last)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\nThe peer scans %s, ports %d to %d:\n", addr, first, last)
	fmt.Fprintf(w, "%-8s %-6s %s\n", "PORT", "STATE", "SERVICE")
	hidden := map[lab.State]int{}
	for i, state := range states {
		if state != lab.Open {
			hidden[state]++
			continue
		}
		fmt.Fprintf(w, "%-8s %-6s %s\n", fmt.Sprintf("%d/tcp", first+i), state, service(ctx, uint16(first+i)))
	}
	for _, state := range [...]lab.State{lab.Filtered, lab.Closed} {
		if hidden[state] > 0 {
			fmt.Fprintf(w, "Not shown: %d %s tcp ports\n", hidden[state], state)
		}
	}
	return nil
}

// service is the name of a port, where the machine knows one.
func service(ctx context.Context, port uint16) string {
	name, _ := table.System().Service(ctx, port, nf.TCP)
	return name
}
