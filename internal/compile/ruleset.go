package compile

import (
	"errors"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Ruleset compiles every table. The ruleset must have no error of its own
// (table.Ruleset.Err). The error joins an *Error for each rule that has no exact
// form here.
func Ruleset(rs table.Ruleset, o Options) (*program.Program, error) {
	p := &program.Program{}
	var errs []error
	kept := &keeping{ask: o.Keeper}
	for t := range rs.Tables() {
		tables, failed := placed(t, o, kept)
		p.Tables = append(p.Tables, tables...)
		for _, e := range failed {
			errs = append(errs, e)
		}
	}
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	return p, nil
}

// placed compiles a table into the nf_tables tables that it takes: one, or an ip
// and an ip6 table for both families where an inet table cannot hold every rule.
func placed(t table.Table, o Options, k *keeping) ([]*program.Table, []*Error) {
	if o.Plain {
		if errs := plainSets(t); errs != nil {
			return nil, errs
		}
	}
	switch t.ID().Family() {
	case nf.IPv4:
		return one(t, o, k, program.IP, false)
	case nf.IPv6:
		return one(t, o, k, program.IP6, false)
	}
	if !o.Plain && !addressed(t) {
		tables, errs := one(t, o, k, program.Inet, false)
		if !wantsHalves(errs) {
			return tables, errs
		}
	}
	v4, errs4 := one(t, o, k, program.IP, true)
	v6, errs6 := one(t, o, k, program.IP6, true)
	for _, e := range errs4 {
		e.Family = nf.IPv4
	}
	for _, e := range errs6 {
		e.Family = nf.IPv6
	}
	return append(v4, v6...), append(errs4, errs6...)
}

// wantsHalves says whether an ip and an ip6 table would do what inet cannot.
func wantsHalves(errs []*Error) bool {
	for _, e := range errs {
		var inexact *program.InexactError
		if errors.As(e.Err, &inexact) && inexact.Inet {
			return true
		}
	}
	return false
}

func one(t table.Table, o Options, k *keeping, f program.Family, split bool) ([]*program.Table, []*Error) {
	w := tableWriter{t: t, o: o, kept: k, split: split, env: program.Env{Family: f, Table: t.ID().Name(), Plain: o.Plain}}
	out := &program.Table{Family: f, Name: TableName(t.ID(), o)}
	if !o.Plain {
		out.UserData = userdata.Table{Owner: o.Owner, Split: split}.String()
	}
	out.Sets = w.sets()
	for c := range t.Chains() {
		out.Chains = append(out.Chains, w.chain(c))
	}
	return []*program.Table{out}, w.errs
}

// TableName is the nf_tables name of a table: "mailhost-filter", or, for the
// owner iptables, "filter".
func TableName(id table.ID, o Options) string {
	if o.Plain {
		return id.Name()
	}
	return o.Owner + "-" + id.Name()
}

// tableWriter compiles the chains of one table.
type tableWriter struct {
	t     table.Table
	o     Options
	kept  *keeping
	env   program.Env
	split bool
	rules ruleWriter
	errs  []*Error
}

func (w *tableWriter) chain(c chain.Chain) *program.Chain {
	out := &program.Chain{Name: w.o.kernelName(c.Name()), Keep: c.Kept()}
	ud := userdata.Chain{Keep: out.Keep}
	if out.Name != c.Name() {
		ud.Name = c.Name()
	}
	out.UserData = ud.String()
	w.env.Chain = ""
	if h, ok := w.t.ID().HookOf(c.Name()); ok {
		w.env.Chain = c.Name()
		out.Base, out.Counted = true, true
		out.Hook = program.Hook{Type: h.Type, Num: h.Num, Priority: h.Priority + w.o.Offset}
		out.Policy = program.NFAccept
		if p, _ := c.Policy(); p == chain.Drop {
			out.Policy = program.NFDrop
		}
		if n := c.Counters(); !w.second() {
			out.Packets, out.Bytes = n.Packets, n.Bytes
		}
		out.Fresh = w.fresh(c.Name(), 0)
	}
	out.Rules = make([]*program.Rule, 0, c.Len())
	others := 0 // rules of the other half alone since the last that is in both
	for line, r := range c.Rules() {
		if w.split {
			switch mine := w.mine(); {
			case r.Family() == nf.Both:
				others = 0
			case r.Family() != mine:
				others++
				continue
			}
		}
		if p := w.rule(c.Name(), line, r, others); p != nil {
			out.Rules = append(out.Rules, p)
		}
	}
	return out
}

// mine is the family of the half that is being compiled.
func (w *tableWriter) mine() nf.Family {
	if w.env.Family == program.IP6 {
		return nf.IPv6
	}
	return nf.IPv4
}

// second says whether it is the IPv6 half: what both halves count begins in the
// other, since it is their sum that is read.
func (w *tableWriter) second() bool { return w.split && w.mine() == nf.IPv6 }

func (w *tableWriter) rule(chain string, line int, r rule.Rule, others int) *program.Rule {
	if r.Family() == nf.Both {
		others = 0
	}
	if p := w.kept.program(w.env, chain, r); p != nil {
		p.Line, p.Fresh = line, w.fresh(chain, line)
		return p
	}
	p, f := w.rules.rule(r, w.env, !w.o.Uncounted, others)
	if f != nil {
		w.errs = append(w.errs, &Error{
			Table: w.t.ID(), Chain: chain, Rule: line, Text: r.String(), Extension: f.extension, Err: f.err,
		})
		return nil
	}
	if w.second() && r.Family() == nf.Both {
		p = p.WithCounts(program.Counter{})
	}
	p.Line, p.Fresh = line, w.fresh(chain, line)
	return p
}

// fresh asks whose counters begin anew.
func (w *tableWriter) fresh(chain string, line int) bool {
	return w.o.Fresh != nil && w.o.Fresh(w.t.ID(), chain, line)
}
