package nft

import (
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/feature"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
)

// sample is how the kernel is asked for a feature in a transaction that does not
// get to its end.
type sample struct {
	family program.Family

	// exprs is a rule that is taken where the feature is there. Where it is nil the
	// rule is the bare expression of that name without any option.
	exprs []program.Expr

	// bare says that the rule is refused in any case: the kernel looks for the
	// expression first, and only then for what is wrong with it.
	bare bool

	table bool         // the table itself is the sample, with an owner
	set   *program.Set // or a set is
}

// samples are those of features that are more than a bare expression in an ip table.
// None of them switches connection tracking on, not even until the transaction
// ends.
var samples = map[string]sample{
	"bitwise shift":     {exprs: []program.Expr{mark, program.Shift{Src: 1, Dst: 1, Len: 4, Left: true, Bits: 1}}},
	"bitwise registers": {exprs: []program.Expr{mark, program.Bitwise2{Op: program.BitOr, Src: 1, Src2: 1, Dst: 1, Len: 4}}},

	"exthdr ip options": {exprs: []program.Expr{program.Exthdr{Op: 2, Type: 7, Len: 1, Present: true, Reg: 1}}},
	"exthdr sctp":       {exprs: []program.Expr{program.Exthdr{Op: 3, Type: 0, Len: 1, Present: true, Reg: 1}}},
	"exthdr dccp":       {exprs: []program.Expr{program.Exthdr{Op: 4, Type: 2, Len: 1, Present: true, Reg: 1}}},
	"exthdr tcp write":  {exprs: []program.Expr{mark, exthdr(number(exthdrSource, 1), kind(2), number(exthdrOffset, 2), number(exthdrLen, 2), number(exthdrOp, 1))}},
	"exthdr tcp reset":  {exprs: []program.Expr{exthdr(kind(4), number(exthdrOp, 1))}},

	"fib in inet":      {family: program.Inet},
	"reject in inet":   {family: program.Inet},
	"reject in bridge": {family: program.Bridge},
	"fwd":              {family: program.Netdev},
	"tunnel":           {family: program.Netdev},
	"log":              {exprs: []program.Expr{program.Log{Level: 4}}},
	"log in arp":       {family: program.ARP, exprs: []program.Expr{program.Log{Level: 4}}},
	"meta in bridge":   {family: program.Bridge, exprs: []program.Expr{program.Meta{Key: metaBridgeIn, Reg: 1}}},

	// A register that does not exist is refused before anything is made.
	"masq":  {bare: true, exprs: []program.Expr{program.Masq{ProtoMin: noRegister}}},
	"redir": {bare: true, exprs: []program.Expr{program.Redir{ProtoMin: noRegister}}},
	// So is an option of the TCP handshake that does not.
	"synproxy": {bare: true, exprs: []program.Expr{program.Raw{Name: "synproxy", Data: wire.Attrs(number(synproxyFlags, 1<<31))}}},

	"sets with a timeout":  {set: &program.Set{Name: "set", Flags: program.SetTimeout, KeyLen: 4}},
	"sets that rules fill": {set: &program.Set{Name: "set", Flags: program.SetTimeout | program.SetEval, KeyLen: 4, Size: 16}},
	"sets of concatenated ranges": {set: &program.Set{
		Name: "set", Flags: program.SetInterval | program.SetConcat, KeyLen: 8,
		Raw: wire.Attrs(wire.Attr{Type: setDesc, Value: wire.Attrs(wire.Attr{Type: setConcat, Value: fields(4, 4)})}),
	}},
	"tables with an owner": {table: true},
}

// passive are the features that cannot be asked for without a trace, since they
// switch connection tracking on, though it be for a moment. With them is the one
// that is in the same module, and can; "": none.
var passive = map[string]string{"ct in bridge": "", "notrack": "ct"}

// mark fills register 1.
var mark program.Expr = program.Meta{Key: program.MetaMark, Reg: 1}

// Attributes and keys that Gatehouse's own rules have no use for, from
// include/uapi/linux/netfilter/nf_tables.h.
const (
	exthdrType    = 2
	exthdrOffset  = 3
	exthdrLen     = 4
	exthdrOp      = 6
	exthdrSource  = 7
	synproxyFlags = 3
	setDesc       = 9
	setConcat     = 2
	listElem      = 1
	fieldLen      = 1
	metaBridgeIn  = 17
	noRegister    = 0xff
)

func number(typ uint16, v uint32) wire.Attr {
	return wire.Attr{Type: typ, Value: program.Net32(v).Data}
}

func kind(n byte) wire.Attr { return wire.Attr{Type: exthdrType, Value: string(n)} }

func exthdr(attrs ...wire.Attr) program.Expr {
	return program.Raw{Name: "exthdr", Data: wire.Attrs(attrs...)}
}

// fields are the parts of a concatenated key, by their lengths.
func fields(lens ...uint32) string {
	var list []wire.Attr
	for _, n := range lens {
		list = append(list, wire.Attr{Type: listElem, Value: wire.Attrs(number(fieldLen, n))})
	}
	return wire.Attrs(list...)
}

// sampled is the sample of a feature; ok is false for one that is not asked for in
// this way.
func sampled(k feature.Feature) (s sample, ok bool) {
	s, found := samples[k.Name]
	if s.family == 0 {
		s.family = program.IP
	}
	if k.Kind == feature.Expression && s.exprs == nil {
		name, _, _ := strings.Cut(k.Name, " ")
		s.exprs, s.bare = []program.Expr{program.Raw{Name: name}}, true
		found = true
	}
	if _, never := passive[k.Name]; never {
		found = false
	}
	return s, found
}

// op is what to try, in the table and chain of the sample's family.
func (s sample) op(t *program.Table, c *program.Chain) driver.Op {
	switch {
	case s.table:
		return driver.Op{Kind: driver.AddTable, Table: &program.Table{Family: s.family, Name: "gatehouse-owned", Flags: program.TableOwned}}
	case s.set != nil:
		return driver.Op{Kind: driver.AddSet, Table: t, Set: s.set}
	}
	return driver.Op{Kind: driver.AddRule, Table: t, Chain: c, Rule: &program.Rule{Exprs: s.exprs}}
}
