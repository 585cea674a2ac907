package match

import (
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
)

// RPFilter is -m rpfilter: the answer to the packet would leave by the interface
// that it came in through. The zero value is the strict test. It is for
// PREROUTING, and for the tables raw and mangle.
//
//	--loose  --validmark  --accept-local  --invert
//
// It is native, the routing table's own answer (fib saddr . iif oif), but for
// --accept-local: there it is the kernel's own xt match, which is tied to the
// names of iptables' tables, so that only the owner iptables has it.
//
// The two are not the same for IPv4 senders that are a broadcast address of the
// host's own networks: xt_rpfilter fails them, nf_tables does not, and routing,
// which comes next, drops them either way. It mirrors
// net/ipv4/netfilter/ipt_rpfilter.c and net/ipv6/netfilter/ip6t_rpfilter.c, and
// nft_fib_ipv4.c and nft_fib_ipv6.c.
type RPFilter struct {
	Loose       bool // --loose: by any interface
	ValidMark   bool // --validmark: routes are looked up with the packet's mark
	AcceptLocal bool // --accept-local: a sender that is this host is fine
	Invert      bool // --invert: packets that fail the test
}

// Name is "rpfilter".
func (RPFilter) Name() string { return rpfilterName }

func (RPFilter) ext() option.Extension { return rpfilter }

const rpfilterName = "rpfilter"

var rpfilter = &option.Spec[RPFilter]{
	Name: rpfilterName,
	Rows: []option.Row[RPFilter]{
		option.Flag("--loose", func(m *RPFilter) *bool { return &m.Loose }),
		option.Flag("--validmark", func(m *RPFilter) *bool { return &m.ValidMark }),
		option.Flag("--accept-local", func(m *RPFilter) *bool { return &m.AcceptLocal }),
		option.Flag("--invert", func(m *RPFilter) *bool { return &m.Invert }),
	},
	Needs: func(RPFilter) option.Needs {
		return option.Needs{Tables: []string{"raw", "mangle"}, Chains: []string{"PREROUTING"}}
	},
	List: listRPFilter,
	Read: readRPFilter,
	XT: option.XTStruct(option.XT[RPFilter]{Tables: []string{"raw", "mangle"}}, 0,
		func(m RPFilter, _ program.Env) xtables.RPFilter {
			return xtables.RPFilter{Flags: bitIf[uint8](m.Loose, xtables.RPFilterLoose) | bitIf[uint8](m.ValidMark, xtables.RPFilterValidMark) |
				bitIf[uint8](m.AcceptLocal, xtables.RPFilterAcceptLocal) | bitIf[uint8](m.Invert, xtables.RPFilterInvert)}
		},
		func(b xtables.RPFilter, _ program.Env) (RPFilter, bool) {
			is := func(bit uint8) bool { return b.Flags&bit != 0 }
			return RPFilter{is(xtables.RPFilterLoose), is(xtables.RPFilterValidMark), is(xtables.RPFilterAcceptLocal), is(xtables.RPFilterInvert)}, true
		}),
}

// Compile asks the routing table.
func (m RPFilter) Compile(c *program.Code) error {
	if m.AcceptLocal {
		return rpfilter.Kernel(c, m)
	}
	load := program.Fib{Result: program.FibOifIndex, Flags: program.FibSaddr | program.FibIif | program.FibPresent}
	if m.Loose {
		load.Flags &^= program.FibIif
	}
	if m.ValidMark {
		load.Flags |= program.FibMark
	}
	c.Test(program.IsValue(load, false, program.Host32(bitIf[uint32](!m.Invert, 1))))
	return nil
}

func readRPFilter(r *program.Reader) (m RPFilter, ok bool) {
	t, ok := r.Test(0)
	load, is := t.Load.(program.Fib)
	if !ok || !is || load.Result != program.FibOifIndex || t.Op != program.IsEq || t.Mask != (program.Value{}) || len(t.A.Data) != 4 {
		return m, false
	}
	m = RPFilter{Loose: load.Flags&program.FibIif == 0, ValidMark: load.Flags&program.FibMark != 0, Invert: t.A.Zero()}
	r.Take(1)
	return m, true
}

func listRPFilter(m RPFilter, _ *option.Lister) string {
	words := []string{rpfilterName}
	for _, f := range [...]struct {
		on   bool
		word string
	}{{m.Loose, "loose"}, {m.ValidMark, "validmark"}, {m.AcceptLocal, "accept-local"}, {m.Invert, "invert"}} {
		if f.on {
			words = append(words, f.word)
		}
	}
	return strings.Join(words, " ")
}
