// Package iptables has the exported API of github.com/coreos/go-iptables/iptables
// v0.8.0 on top of a Firewall: change the import path and stop needing the binary.
//
// What differs: New works in iptables' own tables (the owner "iptables"), which
// are shared with iptables-nft, byte for byte in its dialect; a program that must
// not share them opens a Firewall with an owner of its own and uses Over, and in
// tables of one's own ACCEPT is not final: a packet that they accept is still seen
// by everybody else's. Methods that look before they act (AppendUnique,
// InsertUnique, DeleteIfExists, ClearChain, ClearAndDeleteChain) are one
// transaction here, and none of them waits for a lock file; ClearAndDeleteChain of a
// built-in chain changes nothing, where the original has flushed it by then. A rule is
// checked before anything is sent. There is no binary, so Path is accepted and means
// nothing, and an Error has no exec.ExitError in it; Error.ExitStatus says how a
// failure is numbered. While a change of the owner's is on probation (Firewall.Try)
// its rules can be looked for and listed, and every change is an error.
package iptables

import (
	"context"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Protocol is the family whose tables an IPTables works in.
type Protocol byte

const (
	ProtocolIPv4 Protocol = iota // the zero value: what iptables does
	ProtocolIPv6                 // what ip6tables does
)

// family is the protocol in our own words.
func (p Protocol) family() nf.Family {
	if p == ProtocolIPv6 {
		return nf.IPv6
	}
	return nf.IPv4
}

// IPTables is one family's tables. Made by New, NewWithProtocol or Over; any
// number of goroutines may use it.
type IPTables struct {
	fw      *backend.Firewall
	proto   Protocol
	timeout time.Duration
	ctx     context.Context
}

// option is what New takes; the original's type has no name that others can use
// either.
type option func(*IPTables)

// IPFamily chooses the family; without it IPv4.
func IPFamily(proto Protocol) option { return func(x *IPTables) { x.proto = proto } }

// Timeout bounds each method to so many seconds; 0, which is what New begins with,
// is no bound. The original waits that long for a lock, and there is none here.
func Timeout(seconds int) option {
	return func(x *IPTables) { x.timeout = time.Duration(seconds) * time.Second }
}

// Path is where the original finds its binary. It is accepted and means nothing.
func Path(string) option { return func(*IPTables) {} }

// New connects to the network namespace of the calling thread, in the tables
// that iptables has there. Errors are those of nft.Open: fs.ErrPermission where
// the capability is missing. Close ends the connection.
func New(opts ...option) (*IPTables, error) {
	x := &IPTables{ctx: context.Background()}
	for _, o := range opts {
		o(x)
	}
	ctx, cancel := x.bound()
	defer cancel()
	fw, err := nft.Open(ctx, backend.Config{Owner: backend.Iptables})
	if err != nil {
		return nil, failure(err)
	}
	x.fw = fw
	return x, nil
}

// NewWithProtocol is New(IPFamily(proto), Timeout(0)).
func NewWithProtocol(proto Protocol) (*IPTables, error) { return New(IPFamily(proto), Timeout(0)) }

// Over uses a Firewall that is already open, of any owner, and works in its
// tables of one family. The Firewall stays the caller's to close.
func Over(fw *backend.Firewall, proto Protocol) *IPTables {
	return &IPTables{fw: fw, proto: proto, ctx: context.Background()}
}

// WithContext is x with a context that all its methods end with. The original
// has no such method.
func (x *IPTables) WithContext(ctx context.Context) *IPTables {
	y := *x
	y.ctx = ctx
	return &y
}

// Close ends the connection of an IPTables that New made; of one that Over made
// it ends the Firewall's. The original, which has none, has no such method.
func (x *IPTables) Close() error { return x.fw.Close() }

// bound is the context of one method.
func (x *IPTables) bound() (context.Context, context.CancelFunc) {
	if x.timeout > 0 {
		return context.WithTimeout(x.ctx, x.timeout)
	}
	return x.ctx, func() {}
}

// Proto is the family.
func (x *IPTables) Proto() Protocol { return x.proto }

// HasRandomFully says whether NAT targets have --random-fully: they have.
func (x *IPTables) HasRandomFully() bool { return true }

// GetIptablesVersion is the version of iptables whose language is spoken: 1.8.9.
func (x *IPTables) GetIptablesVersion() (int, int, int) { return 1, 8, 9 }
