// Package image is a small mirror of an owner's tables: of each chain its rules in
// order, each with its handle and a print of what it says, 24 bytes a rule. Whoever
// keeps one up to date with the commits that are seen (Follow) knows where a rule
// stands, and what to send to change that, without reading the tables again.
//
// What is not known is read when somebody asks for it: an image begins with the
// chains alone. What is not understood makes a table Odd: it is left to those who
// read all of it.
package image

import (
	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/probation"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/staging"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Image is an owner's tables at one generation. One goroutine at a time may use it.
type Image struct {
	// Generation is the namespace's; commits up to it are in the image.
	Generation uint32
	// Version moves with every commit that touched the owner's tables.
	Version uint64
	// MaxBatch is driver.State's.
	MaxBatch int

	opts     compile.Options
	tables   map[tableKey]*Table
	journals map[tableKey]bool // of changes that are under way, or of which something is left
	prints   Prints
}

type tableKey struct {
	family program.Family
	name   string
}

// Table is one nf_tables table. Family, Name and ID are set; Odd says that nothing
// else of it is good for anything.
type Table struct {
	Family program.Family
	Name   string
	ID     table.ID
	Odd    bool

	single *compile.Single
	chains map[string]*Chain // by the kernel's names
	pages  map[string]int    // how many a chain has
	mapped bool              // maps may lead from chain to chain
}

// Chain is one chain of the kernel's, which may be a page.
type Chain struct {
	Name string // the kernel's
	Of   string // the chain that it is a page of; "": none
	Base bool
	Read bool // its rules are known

	model  string // "": the model does not show it
	handle uint64
	rules  []Rule            // never changed in place, but for more at its end
	to     map[uint64]string // where rules lead, by their handles
	others int               // rules that are not known, where Read is not set
	lists  int               // rules that look up a list of single keys
}

// New is an image of what was read with driver.Scope.Bare: no rules are known. mine
// says of a table that it is the owner's by its mark too.
func New(got *driver.State, o compile.Options, mine func(*program.Table) bool) *Image {
	m := &Image{
		Generation: got.Generation, MaxBatch: got.MaxBatch, opts: o,
		tables: map[tableKey]*Table{}, journals: map[tableKey]bool{}, prints: NewPrints(),
	}
	names, inet, trial := map[string]int{}, map[string]bool{}, false
	for _, t := range got.Program.Tables {
		id, ok := compile.Owned(t.Family, t.Name, o)
		if !ok {
			m.journal(t, true)
			continue
		}
		names[t.Name]++
		inet[t.Name] = inet[t.Name] || t.Family == program.Inet
		m.tables[tableKey{t.Family, t.Name}] = newTable(t, id, o, mine(t))
		trial = trial || t.Set(probation.Set) != nil // of all of the owner's tables
	}
	for _, t := range m.tables {
		// Of such two, one may be a half of a table for both families.
		t.Odd = t.Odd || trial || inet[t.Name] && names[t.Name] > 1
	}
	return m
}

func newTable(p *program.Table, id table.ID, o compile.Options, mine bool) *Table {
	t := &Table{
		Family: p.Family, Name: p.Name, ID: id,
		chains: make(map[string]*Chain, len(p.Chains)), pages: map[string]int{},
	}
	ud, _, err := userdata.DecodeTable(p.UserData)
	single, serr := compile.NewSingle(p, id, o)
	t.single = single
	t.Odd = !mine || err != nil || serr != nil || ud.Split
	for _, s := range p.Sets {
		t.mapped = t.mapped || s.Flags&program.SetMap != 0
	}
	models := map[string]bool{}
	for _, c := range p.Chains {
		k := t.add(c)
		k.others = max(0, int(c.Use)-1) // its rules, and of a page the one jump to it
		t.Odd = t.Odd || k.model != "" && models[k.model]
		models[k.model] = true
	}
	for _, c := range t.chains {
		if of := t.chains[c.Of]; c.Of != "" && (of == nil || of.Of != "") {
			t.Odd = true
		}
	}
	return t
}

// add adds a chain without rules.
func (t *Table) add(c *program.Chain) *Chain {
	ud := userdata.DecodeChain(c.UserData)
	k := &Chain{Name: c.Name, Base: c.Base, handle: c.Handle, to: map[uint64]string{}}
	if ud.Of != "" && ud.Of != c.Name && !c.Base {
		k.Of = ud.Of
		t.pages[k.Of]++
	} else if name, builtIn, ok := t.single.Chain(c); ok {
		k.model = name
		if _, is := t.ID.HookOf(name); is != builtIn {
			t.Odd = true
		}
	}
	t.Odd = t.Odd || ud.Try != ""
	t.chains[c.Name] = k
	return k
}

// journal notes that a journal or a lock of the owner's came or went: while there is one,
// not all that is in the tables is in force.
func (m *Image) journal(t *program.Table, came bool) {
	if !staging.Is(m.opts.Owner, t.Name) {
		return
	}
	m.Version++
	if came {
		m.journals[tableKey{t.Family, t.Name}] = true
		return
	}
	delete(m.journals, tableKey{t.Family, t.Name})
}

// Table is the table of that ID; nil where there is none, or where it is odd, and while
// a change is under way that takes more than one transaction.
func (m *Image) Table(id table.ID) *Table {
	if len(m.journals) > 0 {
		return nil
	}
	for _, t := range m.tables {
		if t.ID == id && !t.Odd {
			return t
		}
	}
	return nil
}

// Chain is the chain of that name in the model, page or not; nil where there is none.
func (t *Table) Chain(model string) *Chain {
	if c := t.chains[t.single.Name(model)]; c != nil && c.Of == "" && c.model == model {
		return c
	}
	return nil
}

// builtIn is what a chain is called if it is built in, for those who compile or read
// its rules.
func (t *Table) builtIn(c *Chain) string {
	if of := t.chains[c.Of]; of != nil {
		c = of
	}
	if c.Base {
		return c.model
	}
	return ""
}

// Unread are the chains whose rules are not known, of one chain and its pages or, nil,
// of the table.
func (t *Table) Unread(of *Chain) (out []*Chain) {
	if of != nil && !of.Read {
		return []*Chain{of} // which then says what its pages are
	}
	if of != nil && t.pages[of.Name] == 0 {
		return nil
	}
	for _, c := range t.chains {
		if !c.Read && (of == nil || c.Of == of.Name) {
			out = append(out, c)
		}
	}
	return out
}

// Size is about how many rules the chain has.
func (c *Chain) Size() int { return max(c.others, len(c.rules)) }

// Print is what stands for a rule in this image.
func (m *Image) Print(r rule.Rule) Print { return m.prints.Of(r) }

// Compile is the program of a rule of a chain. Sets of one's own are not known to it.
func (t *Table) Compile(c *Chain, r rule.Rule) (*program.Rule, error) {
	return t.single.Compile(t.builtIn(c), r)
}
