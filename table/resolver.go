package table

import (
	"context"
	"net/netip"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Resolver turns numbers into names. It may block, hence the context.
type Resolver interface {
	// Service is the name of a port of protocol p; ok is false if it has none.
	Service(ctx context.Context, port uint16, p nf.Protocol) (name string, ok bool)
	// Host is the name of an address, or of the network that it is the first
	// address of; ok is false if it has none.
	Host(ctx context.Context, addr string) (name string, ok bool)
}

// names asks a Resolver, each question once a listing.
type names struct {
	ctx      context.Context // of the one List that asks
	resolver Resolver
	hosts    map[netip.Addr]answer
	services map[port]answer
}

type port struct {
	number uint16
	proto  nf.Protocol
}

type answer struct {
	name string
	ok   bool
}

func newNames(ctx context.Context, r Resolver) *names {
	return &names{ctx, r, map[netip.Addr]answer{}, map[port]answer{}}
}

func (n *names) host(a netip.Addr) (string, bool) {
	got, known := n.hosts[a]
	if !known && n.ctx.Err() == nil {
		got.name, got.ok = n.resolver.Host(n.ctx, a.String())
		n.hosts[a] = got
	}
	return got.name, got.ok
}

func (n *names) service(number uint16, p nf.Protocol) (string, bool) {
	got, known := n.services[port{number, p}]
	if !known && n.ctx.Err() == nil {
		got.name, got.ok = n.resolver.Service(n.ctx, number, p)
		n.services[port{number, p}] = got
	}
	return got.name, got.ok
}
