package staging

import (
	"slices"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// Key is what a table, or a chain or set in it, is known by.
type Key struct {
	Family program.Family
	Table  string
	Name   string // of the chain or set; "": the table
}

// List names parts of tables. The zero value names none.
type List struct {
	Tables, Chains, Sets map[Key]bool

	// Renamed are chains that are out of the way of others: by the name that they have
	// now the one that they had.
	Renamed map[Key]string
}

// Of lists what operations make, take away or rename.
func Of(batches ...[]driver.Op) List {
	l := newList()
	for _, op := range slices.Concat(batches...) {
		key := func(name string) Key { return Key{op.Table.Family, op.Table.Name, name} }
		switch op.Kind {
		case driver.AddTable:
			l.Tables[key("")] = true
		case driver.DeleteTable:
			l.table(op.Table)
		case driver.AddChain, driver.DeleteChain:
			l.Chains[key(op.Chain.Name)] = true
		case driver.AddSet, driver.DeleteSet:
			l.Sets[key(op.Set.Name)] = true
		case driver.RenameChain:
			l.Renamed[key(op.To)] = op.Chain.Name
		}
	}
	return l
}

func newList() List {
	return List{Tables: map[Key]bool{}, Chains: map[Key]bool{}, Sets: map[Key]bool{}, Renamed: map[Key]string{}}
}

// table lists a table with all in it. Base chains are gone before; one that is
// there later is somebody's.
func (l List) table(t *program.Table) {
	l.Tables[Key{t.Family, t.Name, ""}] = true
	for _, c := range t.Chains {
		if !c.Base {
			l.Chains[Key{t.Family, t.Name, c.Name}] = true
		}
	}
	for _, s := range t.Sets {
		l.Sets[Key{t.Family, t.Name, s.Name}] = true
	}
}

// Empty says whether it names nothing.
func (l List) Empty() bool {
	return len(l.Tables)+len(l.Chains)+len(l.Sets)+len(l.Renamed) == 0
}

// Names says whether it names something that operations would make, or move.
func (l List) Names(batches ...[]driver.Op) bool {
	for _, op := range slices.Concat(batches...) {
		key := func(name string) Key { return Key{op.Table.Family, op.Table.Name, name} }
		switch op.Kind {
		case driver.AddTable:
			if l.Tables[key("")] {
				return true
			}
		case driver.AddChain:
			if l.Chains[key(op.Chain.Name)] {
				return true
			}
		case driver.AddSet:
			if l.Sets[key(op.Set.Name)] {
				return true
			}
		case driver.RenameChain:
			if l.Chains[key(op.To)] {
				return true
			}
		}
		for k := range l.Renamed { // by its name one would find another chain
			if k.Family == op.Table.Family && k.Table == op.Table.Name {
				return true
			}
		}
	}
	return false
}

// part is what of a table a list names and nobody else refers to.
type part struct {
	chains, sets map[string]bool
	whole        bool // the table too
}

// of finds it.
func (l List) of(t *program.Table) part {
	p := part{map[string]bool{}, map[string]bool{}, l.Tables[Key{t.Family, t.Name, ""}]}
	for _, c := range t.Chains {
		if l.Chains[Key{t.Family, t.Name, c.Name}] {
			p.chains[c.Name] = true
		}
	}
	for _, s := range t.Sets {
		if l.Sets[Key{t.Family, t.Name, s.Name}] {
			p.sets[s.Name] = true
		}
	}
	if len(p.chains)+len(p.sets) == 0 {
		p.whole = p.whole && bare(t, p)
		return p
	}
	for _, c := range t.Chains {
		if !p.chains[c.Name] {
			p.keep(t, c)
		}
	}
	for _, s := range t.Sets {
		if !p.sets[s.Name] {
			p.keepSet(t, s)
		}
	}
	p.whole = p.whole && bare(t, p)
	return p
}

// bare says whether a table has nothing but its part.
func bare(t *program.Table, p part) bool {
	return !slices.ContainsFunc(t.Chains, func(c *program.Chain) bool { return !p.chains[c.Name] }) &&
		!slices.ContainsFunc(t.Sets, func(s *program.Set) bool { return !p.sets[s.Name] && s.Flags&program.SetAnonymous == 0 })
}

// keep takes out of the part what a chain that stays refers to.
func (p part) keep(t *program.Table, c *program.Chain) {
	for _, r := range c.Rules {
		for to := range r.Jumps {
			p.keepChain(t, to)
		}
		for _, e := range r.Exprs {
			switch e := e.(type) {
			case program.Lookup:
				p.keepNamed(t, e.Name)
			case program.Raw:
				for name := range p.sets {
					if strings.Contains(e.Data, name+"\x00") {
						p.keepNamed(t, name)
					}
				}
			}
		}
	}
}

func (p part) keepChain(t *program.Table, name string) {
	if !p.chains[name] {
		return
	}
	delete(p.chains, name)
	p.keep(t, t.Chain(name))
}

func (p part) keepNamed(t *program.Table, set string) {
	if !p.sets[set] {
		return
	}
	delete(p.sets, set)
	p.keepSet(t, t.Set(set))
}

func (p part) keepSet(t *program.Table, s *program.Set) {
	for _, e := range s.Elements {
		if e.Verdict.Chain != "" {
			p.keepChain(t, e.Verdict.Chain)
		}
	}
}
