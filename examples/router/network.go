//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
)

// network is three hosts in a row.
type network struct {
	lab                     *lab.Lab
	inside, router, outside *lab.Host
}

// stranger is the host outside.
var stranger = netip.MustParseAddr("198.51.100.2")

// newNetwork wires the hosts up; the router forwards, the others send through it.
func newNetwork(ctx context.Context) (n *network, err error) {
	n = &network{}
	if n.lab, err = lab.New(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.lab.Close())
		}
	}()
	for name, h := range map[string]**lab.Host{"inside": &n.inside, "router": &n.router, "outside": &n.outside} {
		if *h, err = n.lab.Host(name); err != nil {
			return nil, err
		}
	}
	if err = n.lab.Wire(n.inside.End("eth0", web.Addr().String()+"/24"), n.router.End(lan, "192.168.1.1/24")); err != nil {
		return nil, err
	}
	if err = n.lab.Wire(n.outside.End("eth0", stranger.String()+"/24"), n.router.End(wan, public.String()+"/24")); err != nil {
		return nil, err
	}
	if err = n.inside.Route("0.0.0.0/0", "192.168.1.1"); err != nil {
		return nil, err
	}
	// The stranger knows the way inside: what keeps it out is the firewall.
	if err = n.outside.Route(inside.String(), public.String()); err != nil {
		return nil, err
	}
	return n, n.router.Forward()
}

// try is one promise of the router's.
type try struct {
	name string
	run  func(ctx context.Context) (string, error)
}

func (n *network) tries() []try {
	return []try{
		{"From inside out by TCP, seen outside as:", func(ctx context.Context) (string, error) { return n.out(ctx, "tcp") }},
		{"From inside out by UDP, seen outside as:", func(ctx context.Context) (string, error) { return n.out(ctx, "udp") }},
		{"From outside to the published port, seen inside as:", n.published},
		{"From inside to the published port, seen inside as:", n.hairpin},
		{"From outside to the web server itself:", n.straight},
		{"From outside to another port inside:", n.refused},
	}
}

// out calls a server outside and says whom that one saw.
func (n *network) out(ctx context.Context, proto string) (string, error) {
	return seen(ctx, n.inside, n.outside, proto, netip.AddrPortFrom(stranger, 7), netip.AddrPortFrom(stranger, 7))
}

// published calls the web server by the router's address.
func (n *network) published(ctx context.Context) (string, error) {
	return seen(ctx, n.outside, n.inside, "tcp", web, netip.AddrPortFrom(public, 8080))
}

// hairpin does so from the web server's own host.
func (n *network) hairpin(ctx context.Context) (string, error) {
	return seen(ctx, n.inside, n.inside, "tcp", web, netip.AddrPortFrom(public, 8080))
}

// straight is allowed by the filter, which sees no difference once the address
// is translated.
func (n *network) straight(ctx context.Context) (string, error) {
	return seen(ctx, n.outside, n.inside, "tcp", web, web)
}

// refused asks for a port that the filter rejects, and is told so.
func (n *network) refused(ctx context.Context) (string, error) {
	out, err := n.outside.Probe(ctx, lab.Probe{Network: "tcp", To: netip.AddrPortFrom(web.Addr(), 22)})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%v, ICMP type %d code %d from %v", out[0].State, out[0].ICMP.Type, out[0].ICMP.Code, out[0].ICMP.From), nil
}

// seen has one host talk to a server on another and says from which address that
// one was called.
func seen(ctx context.Context, from, to *lab.Host, proto string, at, called netip.AddrPort) (string, error) {
	server, err := to.Echo(proto, at)
	if err != nil {
		return "", err
	}
	defer server.Close()
	if _, err := from.Ask(ctx, proto, called, "hello"); err != nil {
		return "", err
	}
	peers := server.Peers()
	return peers[len(peers)-1].Addr().String(), nil
}
