package wire

import (
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// maxUserData is NFT_USERDATA_MAXLEN.
const maxUserData = 256

// rule is a rule to be made or put in another's place. Its table, chain and
// handle or position were written before.
func (w *writer) rule(r *program.Rule) {
	list := w.open(ruleExpressions)
	xt := r.Compat.Always
	for i, e := range r.Exprs {
		at := w.open(listElem)
		w.expr(e)
		w.done(at)
		if w.err != nil {
			w.err = fmt.Errorf("expression %d: %w", i, w.err)
			return
		}
		switch e.(type) {
		case program.XTMatch, program.XTTarget:
			xt = true
		}
	}
	w.done(list)
	if xt {
		at := w.open(ruleCompat)
		w.u32(ruleCompatProto, r.Compat.Proto)
		w.u32(ruleCompatFlags, r.Compat.Flags)
		w.done(at)
	}
	if r.UserData != "" {
		if len(r.UserData) > maxUserData {
			w.err = fmt.Errorf("%d bytes of userdata, %d at most", len(r.UserData), maxUserData)
		}
		w.bytes(ruleUserData, r.UserData)
	}
}

// Decoder reads rules. It remembers the expressions that it has read, since a
// ruleset is made of few different ones. The zero value is ready; one goroutine
// at a time may use it.
type Decoder struct {
	seen    map[string]program.Expr
	scratch scratch
}

// remembered bounds what a Decoder remembers.
const remembered = 1 << 14

// Rule reads a rule's message. Lookups in sets of the rule's own still name
// them; Inline puts their content in.
func (d *Decoder) Rule(m Message) (table, chain string, r *program.Rule, err error) {
	var f fields
	if err := m.parse(&f); err != nil {
		return "", "", nil, err
	}
	r = &program.Rule{Handle: f.u64(ruleHandle), UserData: string(f[ruleUserData])}
	n := 0
	for a := attrs(f[ruleExpressions]); ; n++ {
		if _, _, _, ok := a.next(); !ok {
			break
		}
	}
	r.Exprs = make([]program.Expr, 0, n)
	a := attrs(f[ruleExpressions])
	for {
		typ, val, _, ok := a.next()
		if !ok {
			break
		}
		if typ != listElem {
			return "", "", nil, ErrShort
		}
		e, ok := d.expr(val)
		if !ok {
			return "", "", nil, ErrShort
		}
		r.Exprs = append(r.Exprs, e)
	}
	if len(a) != 0 {
		return "", "", nil, ErrShort
	}
	orient(r.Exprs)
	return f.str(ruleTable), f.str(ruleChain), r, nil
}

// expr reads one expression, its values all in network order.
func (d *Decoder) expr(b []byte) (program.Expr, bool) {
	if e, ok := d.seen[string(b)]; ok {
		return e, true
	}
	name, data, ok := nameData(b)
	if !ok {
		return nil, false
	}
	e := typed(string(name), data, &d.scratch)
	switch e.(type) {
	case program.Counter, program.Quota: // seldom twice the same
		return e, true
	}
	if d.seen == nil {
		d.seen = make(map[string]program.Expr)
	}
	if len(d.seen) < remembered {
		d.seen[string(b)] = e
	}
	return e, true
}
