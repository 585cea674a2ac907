// Package program is the intermediate form: tables, chains, rules and sets as
// nf_tables knows them, in plain values without byte order.
//
// It stands between the model (package table and below) and the wire. The
// compiler makes programs from rulesets and rulesets from programs; the passes
// rewrite programs; the simulator runs them; the driver sends and reads them.
// Numbers of the kernel's ABI (registers, keys, hooks, verdicts) are the
// kernel's own, from include/uapi/linux/netfilter/nf_tables.h.
package program

import (
	"slices"
	"strings"
)

// Family is an nf_tables family by its NFPROTO number.
type Family uint8

const (
	Inet   Family = 1
	IP     Family = 2
	ARP    Family = 3
	Netdev Family = 5
	Bridge Family = 7
	IP6    Family = 10
)

// String is nft's word for the family.
func (f Family) String() string {
	switch f {
	case Inet:
		return "inet"
	case IP:
		return "ip"
	case IP6:
		return "ip6"
	case ARP:
		return "arp"
	case Netdev:
		return "netdev"
	case Bridge:
		return "bridge"
	}
	return "family?"
}

// Program is a set of tables, in the order in which they are sent.
type Program struct{ Tables []*Table }

// Table finds a table; nil if it is not there.
func (p *Program) Table(f Family, name string) *Table {
	for _, t := range p.Tables {
		if t.Family == f && t.Name == name {
			return t
		}
	}
	return nil
}

// Table is one nf_tables table.
type Table struct {
	Family   Family
	Name     string
	UserData string // NFTA_TABLE_USERDATA; fixed at creation
	Flags    uint32 // NFT_TABLE_F_*
	Port     uint32 // of the netlink socket that alone may change it, as read; 0: anybody may
	Handle   uint64 // the kernel's; 0 where not read
	Chains   []*Chain
	Sets     []*Set
}

// The flags of a table that Gatehouse looks at.
const (
	TableDormant = 0x1 // no packet passes its chains
	TableOwned   = 0x2 // one process alone may change it
)

// Chain finds a chain; nil if it is not there.
func (t *Table) Chain(name string) *Chain {
	for _, c := range t.Chains {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Set finds a set; nil if it is not there.
func (t *Table) Set(name string) *Set {
	for _, s := range t.Sets {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// Hook is where a base chain sits.
type Hook struct {
	Type     string // "filter", "nat" or "route"
	Num      uint32 // NF_INET_*: 0 prerouting to 4 postrouting
	Priority int32
	Device   string // netdev chains only
}

// Chain is one chain. Its Use, as read, is an estimate and no more: the kernel counts
// along with a transaction that somebody is making ready, be it committed or not.
type Chain struct {
	Name     string
	Base     bool // has a hook, a policy and counters
	Hook     Hook
	Policy   VerdictKind // Accept or Drop; base chains only
	Counted  bool        // the policy has counters
	Packets  uint64      // of the policy
	Bytes    uint64
	UserData string // NFTA_CHAIN_USERDATA
	Handle   uint64
	Use      uint32 // the kernel's count of what refers to it, its own rules included: see Chain
	Fresh    bool   // the policy's counters start as they are here
	Keep     bool   // its rules are the administrator's: made when missing, else left alone
	Rules    []*Rule
}

// Compat is NFTA_RULE_COMPAT: what xt extensions are told of the rule's -p. The
// kernel checks it when a rule is added and does not return it.
type Compat struct {
	Proto uint32
	Flags uint32 // CompatInverted for "! -p"

	Always bool // said though no expression is an xt match or target, as iptables-nft does
}

// CompatInverted is NFT_RULE_COMPAT_F_INV.
const CompatInverted = 2

// Rule is one rule.
type Rule struct {
	Exprs    []Expr
	UserData string // NFTA_RULE_USERDATA, 256 bytes at most
	Compat   Compat // sent where an expression is an xt match or target
	Handle   uint64

	// Fresh says that the counter starts as it is here, though the kernel hold the
	// same rule with other counts: a rule that was flushed and appended, or zeroed.
	Fresh bool

	// Line is the rule's number in the ruleset that it was compiled from, from 1,
	// for errors. It is no part of the program.
	Line int
}

// Same says whether two rules are the same program: expressions and userdata,
// with counts and other state that the kernel keeps for them left aside.
func (r *Rule) Same(s *Rule) bool {
	return r.UserData == s.UserData && slices.EqualFunc(r.Exprs, s.Exprs, func(a, b Expr) bool {
		return stateless(a) == stateless(b)
	})
}

// Key is a string that two rules share exactly when they are the Same.
func (r *Rule) Key() string {
	var b strings.Builder
	for _, e := range r.Exprs {
		b.WriteString(stateless(e).String())
	}
	b.WriteByte(0)
	b.WriteString(r.UserData)
	return b.String()
}

// stateless is e without what the kernel counts in it, and as the kernel dumps it.
func stateless(e Expr) Expr {
	switch e := e.(type) {
	case Counter:
		return Counter{}
	case Quota:
		e.Consumed = 0
		return e
	case NAT:
		e.AddrMax, e.ProtoMax = last(e.AddrMin, e.AddrMax), last(e.ProtoMin, e.ProtoMax)
		return e
	case Masq:
		e.ProtoMax = last(e.ProtoMin, e.ProtoMax)
		return e
	case Redir:
		e.ProtoMax = last(e.ProtoMin, e.ProtoMax)
		return e
	}
	return e
}

// last is a range's last register: where none is given it is the first, and so
// the kernel dumps it.
func last(lo, hi Reg) Reg {
	if hi == 0 {
		return lo
	}
	return hi
}

// Counts returns what the rule's counter has, and whether it has one.
func (r *Rule) Counts() (c Counter, ok bool) {
	for _, e := range r.Exprs {
		if c, ok := e.(Counter); ok {
			return c, true
		}
	}
	return c, false
}

// WithCounts is the rule with its counter set to c; the same rule where it has none.
func (r *Rule) WithCounts(c Counter) *Rule {
	s := *r
	s.Exprs = slices.Clone(r.Exprs)
	for i, e := range s.Exprs {
		if _, ok := e.(Counter); ok {
			s.Exprs[i] = c
			break
		}
	}
	return &s
}

// XT says whether an expression of the rule is an xt match or target.
func (r *Rule) XT() bool {
	return slices.ContainsFunc(r.Exprs, func(e Expr) bool {
		switch e.(type) {
		case XTMatch, XTTarget:
			return true
		}
		return false
	})
}

// Jumps yields the chains that the rule's verdicts name.
func (r *Rule) Jumps(yield func(string) bool) {
	for _, e := range r.Exprs {
		if v, ok := e.(Verdict); ok && v.Chain != "" && !yield(v.Chain) {
			return
		}
	}
}
