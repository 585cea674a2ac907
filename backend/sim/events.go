package sim

import (
	"slices"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// happened are the events that make one state of another: in each table first
// what goes, then what comes.
func happened(before, now *state) (events []driver.Event) {
	for _, t := range before.tables {
		if now.table(&t.Table) == nil {
			events = append(events, driver.Event{Kind: driver.DeleteTable, Table: alone(t)})
		}
	}
	for _, t := range now.tables {
		was := before.table(&t.Table)
		if was == t {
			continue
		}
		if was == nil {
			events = append(events, driver.Event{Kind: driver.AddTable, Table: alone(t)})
			was = &table{}
		}
		d := differ{t: t, at: now.uptime, name: &program.Table{Family: t.Family, Name: t.Name}}
		d.gone(was)
		d.sets(was)
		d.chains(was)
		events = append(events, d.events...)
	}
	return events
}

// table finds a table by its family and name.
func (s *state) table(named *program.Table) *table {
	for _, t := range s.tables {
		if t.Family == named.Family && t.Name == named.Name {
			return t
		}
	}
	return nil
}

// alone is a table without what is in it.
func alone(t *table) *program.Table {
	out := t.Table
	return &out
}

// differ finds what happened to a table.
type differ struct {
	t      *table
	at     time.Duration
	name   *program.Table
	events []driver.Event
}

func (d *differ) add(e driver.Event) {
	e.Table = d.name
	d.events = append(d.events, e)
}

// gone finds what is no longer there: rules and elements, then chains and sets.
func (d *differ) gone(was *table) {
	for _, c := range was.chains {
		is := d.t.byHandle(c.Handle).handles()
		for r := range c.live {
			if is[r.Handle] != r {
				d.add(driver.Event{Kind: driver.DeleteRule, Chain: &program.Chain{Name: c.Name}, Rule: was.copyRule(r)})
			}
		}
	}
	for _, c := range was.chains {
		if d.t.byHandle(c.Handle) == nil {
			d.add(driver.Event{Kind: driver.DeleteChain, Chain: bare(c)})
		}
	}
	for _, s := range was.sets {
		if is := d.t.setNamed[s.Name]; is == nil || is.Handle != s.Handle {
			d.add(driver.Event{Kind: driver.DeleteSet, Set: &program.Set{Name: s.Name, Handle: s.Handle}})
		} else if gone := s.without(is, d.at); len(gone) > 0 {
			d.add(driver.Event{Kind: driver.DeleteElements, Set: of(s, gone)})
		}
	}
}

// sets finds new sets and elements.
func (d *differ) sets(was *table) {
	for _, s := range d.t.sets {
		old := was.setNamed[s.Name]
		if old == nil || old.Handle != s.Handle {
			d.add(driver.Event{Kind: driver.AddSet, Set: of(s, nil)})
			old = &set{}
		}
		if fresh := s.without(old, d.at); len(fresh) > 0 {
			d.add(driver.Event{Kind: driver.AddElements, Set: of(s, fresh)})
		}
	}
}

// chains finds new and changed chains, and new rules.
func (d *differ) chains(was *table) {
	for _, c := range d.t.chains {
		old := was.byHandle(c.Handle)
		if old == nil || old.Name != c.Name || old.Policy != c.Policy || old.Packets != c.Packets || old.Bytes != c.Bytes {
			d.add(driver.Event{Kind: driver.AddChain, Chain: bare(c)})
		}
		after, had, tail := uint64(0), old.handles(), c.count()
		for i, s := range slices.Backward(c.rules) { // rules behind which there are only new ones
			if !s.dead && had[s.rule.Handle] != nil {
				break
			}
			tail = i
		}
		n := 0
		for _, s := range c.rules {
			if n++; s.dead {
				continue
			}
			if had[s.rule.Handle] != s.rule {
				e := driver.Event{Kind: driver.AddRule, Chain: &program.Chain{Name: c.Name}, Rule: d.t.copyRule(s.rule)}
				if e.Last = n > tail; !e.Last {
					e.After = after
				}
				d.add(e)
			}
			after = s.rule.Handle
		}
	}
}

// byHandle finds a chain, whatever its name is.
func (t *table) byHandle(handle uint64) *chain {
	i := slices.IndexFunc(t.chains, func(c *chain) bool { return c.Handle == handle })
	if i < 0 {
		return nil
	}
	return t.chains[i]
}

// handles are a chain's rules by their handles; of no chain there are none.
func (c *chain) handles() map[uint64]*program.Rule {
	if c == nil {
		return nil
	}
	out := make(map[uint64]*program.Rule, len(c.rules))
	for r := range c.live {
		out[r.Handle] = r
	}
	return out
}

// bare is a chain without its rules.
func bare(c *chain) *program.Chain {
	out := c.Chain
	return &out
}

// of is a set with these elements.
func of(s *set, elements []program.Element) *program.Set {
	out := s.Set
	out.Elements = elements
	return &out
}

// without are the elements that another set does not have, in order.
func (s *set) without(other *set, at time.Duration) (out []program.Element) {
	for _, e := range s.sorted(at) {
		if old, ok := other.elements[keyOf(e)]; !ok || old != s.elements[keyOf(e)] {
			out = append(out, e)
		}
	}
	return out
}
