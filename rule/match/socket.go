package match

import (
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
)

// Socket is -m socket: there is an open socket for the packet, found as the packet
// will find it when it gets there. It is for the chains PREROUTING and INPUT. The
// zero value is -m socket alone, a socket that is bound to one address.
//
//	--transparent  --nowildcard  --restore-skmark
//
// It is the kernel's own xt match, revision 3, which ip and ip6 tables have and inet
// tables have not: nf_tables' socket does not see connections that are being
// opened or are ending. It mirrors net/netfilter/xt_socket.c.
type Socket struct {
	Transparent bool // --transparent: only one with IP_TRANSPARENT
	NoWildcard  bool // --nowildcard: one that listens on any address counts too
	RestoreMark bool // --restore-skmark: a packet that matches gets the socket's mark
}

// Name is "socket".
func (Socket) Name() string { return socket.Name }

func (Socket) ext() option.Extension { return socket }

var socket = &option.Spec[Socket]{
	Name: "socket",
	Rows: []option.Row[Socket]{
		option.Flag("--transparent", func(m *Socket) *bool { return &m.Transparent }),
		option.Flag("--nowildcard", func(m *Socket) *bool { return &m.NoWildcard }),
		option.Flag("--restore-skmark", func(m *Socket) *bool { return &m.RestoreMark }),
	},
	Needs: func(Socket) option.Needs { return option.Needs{Chains: []string{"PREROUTING", "INPUT"}} },
	List: func(m Socket, _ *option.Lister) string {
		s := "socket"
		for _, f := range m.flags() {
			if *f.field {
				s += " " + f.name
			}
		}
		return s
	},
	XT: option.XTStruct(option.XT[Socket]{}, 3,
		func(m Socket, _ program.Env) (b xtables.Socket) {
			for _, f := range m.flags() {
				if *f.field {
					b.Flags |= f.bit
				}
			}
			return b
		},
		func(b xtables.Socket, _ program.Env) (m Socket, ok bool) {
			for _, f := range m.flags() {
				*f.field = b.Flags&f.bit != 0
				b.Flags &^= f.bit
			}
			return m, b.Flags == 0
		}),
}

// socketFlag is a bit of the struct and the field that it is.
type socketFlag struct {
	bit   uint8
	name  string
	field *bool
}

func (m *Socket) flags() []socketFlag {
	return []socketFlag{
		{xtables.SocketTransparent, "--transparent", &m.Transparent}, {xtables.SocketNoWildcard, "--nowildcard", &m.NoWildcard},
		{xtables.SocketRestoreMark, "--restore-skmark", &m.RestoreMark},
	}
}

// Compile adds the kernel's match.
func (m Socket) Compile(c *program.Code) error { return socket.Kernel(c, m) }
