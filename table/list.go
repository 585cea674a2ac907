package table

import (
	"context"
	"io"
	"io/fs"
	"strconv"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// Listing says how List prints. The zero value is iptables -nL: it looks nothing up.
type Listing struct {
	Verbose  bool     // -v: counters and interfaces
	Exact    bool     // -x: counters in full
	Numbers  bool     // --line-numbers
	Spec     bool     // -S: rules as they would be appended
	Rule     int      // only this rule, from 1, of the chains named, without headings; 0: all
	Resolver Resolver // names for addresses and ports; nil: numbers (-n)
}

// List prints a table, or the chains named, as iptables -L does: byte for byte
// what iptables-legacy 1.8.9 prints for a table of one family. In a table for
// both, which iptables has not, a rule for both has "anywhere" for any address,
// and a rule for one family that family's 0.0.0.0/0 or ::/0.
//
// The error is fs.ErrNotExist for a chain that is not there (nothing is printed
// then), the context's, or w's. Only a Resolver can block.
func (t Table) List(ctx context.Context, w io.Writer, how Listing, chains ...string) error {
	shown := t.chains
	if len(chains) > 0 {
		shown = make([]chain.Chain, len(chains))
		for i, name := range chains {
			c, ok := t.Chain(name)
			if !ok {
				return &Error{Table: t.id, Chain: name, Err: fs.ErrNotExist}
			}
			shown[i] = c
		}
	}
	l := lister{printer: newPrinter(w), ctx: ctx, t: t, how: how}
	if how.Spec {
		l.spec(shown)
	} else {
		l.tables(shown)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := l.done()
	return err
}

// lister prints a listing.
type lister struct {
	*printer
	ctx   context.Context // of this one List
	t     Table
	how   Listing
	names *names // nil: numbers
}

// rules calls show for each rule that is listed, until the context ends.
func (l *lister) rules(c chain.Chain, show func(n int, r rule.Rule)) {
	if l.how.Rule > 0 {
		if r, ok := c.Rule(l.how.Rule); ok {
			show(l.how.Rule, r)
		}
		return
	}
	for n, r := range c.Rules() {
		if n%1024 == 0 && l.ctx.Err() != nil {
			return
		}
		show(n, r)
	}
}

// spec prints what -S prints.
func (l *lister) spec(chains []chain.Chain) {
	for _, c := range chains {
		if l.how.Rule > 0 {
			continue
		}
		p, ok := c.Policy()
		if !ok {
			l.text("-N ", c.Name(), "\n")
			continue
		}
		l.text("-P ", c.Name(), " ", p.String())
		if l.how.Verbose {
			l.text(" -c ")
			l.counters(c.Counters(), " ")
		}
		l.text("\n")
	}
	for _, c := range chains {
		l.rules(c, func(_ int, r rule.Rule) { l.specRule(c.Name(), r) })
	}
}

// specRule prints "-A CHAIN" and the rule, with -v the counters between its
// matches and its target.
func (l *lister) specRule(name string, r rule.Rule) {
	matches, action := r.String(), ""
	if l.how.Verbose {
		action = targetText(r)
		matches = matches[:len(matches)-len(action)]
		if action != "" && matches != "" {
			matches = matches[:len(matches)-1]
		}
	}
	l.text("-A ", name)
	if matches != "" {
		l.text(" ", matches)
	}
	if l.how.Verbose {
		l.text(" -c ")
		l.counters(r.Counters(), " ")
		if action != "" {
			l.text(" ", action)
		}
	}
	l.text("\n")
}

// targetText is the end of r.String(): -j or -g and what follows.
func targetText(r rule.Rule) string {
	t := r.Target()
	if g, ok := t.(target.Goto); ok {
		return "-g " + string(g)
	}
	if t.Name() == "" {
		return ""
	}
	s := "-j " + t.Name()
	if e := target.Extension(t); e != nil {
		if options := e.Text(t, r.Family()); options != "" {
			s += " " + options
		}
	}
	return s
}

// tables prints what -L prints.
func (l *lister) tables(chains []chain.Chain) {
	if l.how.Resolver != nil {
		l.names = newNames(l.ctx, l.how.Resolver)
	}
	references := l.t.references()
	for i, c := range chains {
		if l.how.Rule == 0 {
			if i > 0 {
				l.text("\n")
			}
			l.heading(c, references[c.Name()])
		}
		l.rules(c, l.row)
	}
}

// references are how many jumps and gotos lead to each chain.
func (t Table) references() map[string]int {
	n := map[string]int{}
	for _, c := range t.chains {
		for _, r := range c.Rules() {
			switch to := r.Target().(type) {
			case target.Jump:
				n[string(to)]++
			case target.Goto:
				n[string(to)]++
			}
		}
	}
	return n
}

// heading prints the two lines above a chain's rules.
func (l *lister) heading(c chain.Chain, references int) {
	l.text("Chain ", c.Name())
	switch p, ok := c.Policy(); {
	case !ok:
		l.text(" (", strconv.Itoa(references), " references)\n")
	case l.how.Verbose:
		n := c.Counters()
		l.text(" (policy ", p.String(), " ", l.amount(n.Packets), " packets, ", l.amount(n.Bytes), " bytes)\n")
	default:
		l.text(" (policy ", p.String(), ")\n")
	}
	if l.how.Numbers {
		l.text("num  ")
	}
	switch {
	case l.how.Verbose && l.how.Exact:
		l.text("    pkts      bytes ")
	case l.how.Verbose:
		l.text(" pkts bytes ")
	}
	l.text("target     prot opt ")
	if l.how.Verbose {
		l.text("in     out     ")
	}
	l.text("source               destination         \n")
}

// amount is a counter as -v prints it: in full up to 99999 and with -x, else
// rounded to thousands with K, M, G or T. The rounding wraps around at 2⁶⁴, as
// iptables' does.
func (l *lister) amount(n uint64) string {
	const units = "KMGT"
	if l.how.Exact || n <= 99999 {
		return strconv.FormatUint(n, 10)
	}
	for i := range len(units) {
		n = (n + 500) / 1000
		if n <= 9999 || i == len(units)-1 {
			return strconv.FormatUint(n, 10) + units[i:i+1]
		}
	}
	return ""
}

// anywhere is how a rule's absent address is listed.
func (l *lister) anywhere(r rule.Rule) string {
	f := l.t.id.Family()
	switch {
	case f != nf.Both && l.names != nil:
		return "anywhere"
	case f == nf.Both:
		f = r.Family()
	}
	switch f {
	case nf.IPv4:
		return "0.0.0.0/0"
	case nf.IPv6:
		return "::/0"
	}
	return "anywhere"
}
