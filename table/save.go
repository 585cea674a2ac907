package table

import (
	"bufio"
	"io"
	"strconv"
	"strings"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Saving says how Save prints. The zero value is iptables-save's way.
type Saving struct {
	Counters bool // -c: "[packets:bytes]" before every rule too
}

// Save writes the ruleset as iptables-save prints it, without the two comment
// lines around each table. Parse reads it back for the family of its tables.
//
// A table's own sets come first in it, in ipset save's syntax: a file that has any
// is one that the real iptables-restore refuses.
//
// Save text does not say which family it is for. A ruleset whose tables are not
// all of one family gets a comment line before each table that says it; such a
// text is for people: write rs.For(nf.IPv4) and rs.For(nf.IPv6) each to its own
// file to load them again.
func (rs Ruleset) Save(w io.Writer, how Saving) (int64, error) {
	p := newPrinter(w)
	for _, t := range rs.tables {
		if rs.mixed() {
			p.text("# ", t.id.Family().String(), "\n")
		}
		p.table(t, how)
	}
	return p.done()
}

// mixed says whether the tables are of more than one family.
func (rs Ruleset) mixed() bool {
	for _, t := range rs.tables {
		if t.id.Family() != rs.tables[0].id.Family() {
			return true
		}
	}
	return false
}

// WriteTo writes iptables-save text: Save without options.
func (rs Ruleset) WriteTo(w io.Writer) (int64, error) { return rs.Save(w, Saving{}) }

// String is what WriteTo writes; "" for an empty ruleset.
func (rs Ruleset) String() string {
	var b strings.Builder
	rs.WriteTo(&b) // a Builder never fails
	return b.String()
}

// Save writes the table as iptables-save prints it, from "*filter" to "COMMIT".
func (t Table) Save(w io.Writer, how Saving) (int64, error) {
	p := newPrinter(w)
	p.table(t, how)
	return p.done()
}

// String is what Save writes without options.
func (t Table) String() string {
	var b strings.Builder
	t.Save(&b, Saving{}) // a Builder never fails
	return b.String()
}

// printer writes text through a buffer and counts what comes out of it.
type printer struct {
	*bufio.Writer
	to counting
}

// counting is a writer that counts.
type counting struct {
	w io.Writer
	n int64
}

func (c *counting) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

func newPrinter(w io.Writer) *printer {
	p := &printer{to: counting{w: w}}
	p.Writer = bufio.NewWriterSize(&p.to, 64<<10)
	return p
}

// text writes strings; the buffer keeps the first error.
func (p *printer) text(parts ...string) {
	for _, s := range parts {
		p.WriteString(s)
	}
}

// counters prints packets and bytes with a sign between the two.
func (p *printer) counters(c nf.Counters, sep string) {
	p.text(strconv.FormatUint(c.Packets, 10), sep, strconv.FormatUint(c.Bytes, 10))
}

// done flushes the buffer, and is the number of bytes that were written and the
// first error.
func (p *printer) done() (int64, error) {
	err := p.Flush()
	return p.to.n, err
}

func (p *printer) table(t Table, how Saving) {
	p.text("*", t.id.Name(), "\n")
	p.sets(t)
	for _, c := range t.chains {
		policy, _ := c.Policy()
		p.text(":", c.Name(), " ", policy.String(), " [")
		p.counters(c.Counters(), ":")
		p.text("]\n")
	}
	for _, c := range t.chains {
		p.rules(c, how)
	}
	p.text("COMMIT\n")
}

func (p *printer) rules(c chain.Chain, how Saving) {
	for _, r := range c.Rules() {
		if how.Counters {
			p.text("[")
			p.counters(r.Counters(), ":")
			p.text("] ")
		}
		p.text("-A ", c.Name())
		if s := r.String(); s != "" {
			p.text(" ", s)
		}
		p.text("\n")
	}
}
