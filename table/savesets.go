package table

import (
	"fmt"
	"io/fs"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table/set"
)

// sets prints the table's sets as ipset save does, behind "*filter" and before the
// chains: real iptables-restore has no such lines and refuses the file, as it
// would the rules that look the sets up.
func (p *printer) sets(t Table) {
	for _, s := range t.sets {
		b := s.AppendCreate(p.AvailableBuffer(), t.id.Family(), s.keep)
		p.Write(append(b, '\n'))
		for e := range s.content.All() {
			p.Write(append(s.AppendAdd(p.AvailableBuffer(), e), '\n'))
		}
	}
}

// setDraft is a set while its lines are read.
type setDraft struct {
	set.Set
	keep     bool
	elements []set.Element
}

// setLine carries out a create or add line, whose words behind that begin at byte i.
func (p *parser) setLine(l Line, command string, i int) error {
	words, ok := set.Words(l.Text[i:])
	if !ok {
		return l.fail(i+1, l.Text[i:], "", ErrQuote)
	}
	if command == "create" {
		s, keep, err := set.ParseCreate(words, p.family)
		switch {
		case err != nil:
			return l.fail(l.Column, l.Command(), "create NAME TYPE [options]", err)
		case p.sets[s.Name] != nil:
			return l.fail(l.Column, l.Command(), "", fmt.Errorf("set %s: %w", s.Name, fs.ErrExist))
		}
		p.sets[s.Name] = &setDraft{Set: s, keep: keep}
		return nil
	}
	name := ""
	if len(words) > 0 {
		name, words = words[0], words[1:]
	}
	d := p.sets[name]
	if d == nil {
		return l.fail(l.Column, l.Command(), "a set that is created above", fmt.Errorf("set %s: %w", name, fs.ErrNotExist))
	}
	e, err := d.ParseAdd(words)
	if err == nil {
		err = e.Fits(d.Key, p.family)
	}
	if err != nil {
		return l.fail(l.Column, l.Command(), "add NAME ELEMENT [options]", err)
	}
	d.elements = append(d.elements, e)
	return nil
}

// withSets gives a table the sets that were read.
func withSets(t Table, f nf.Family, sets map[string]*setDraft) Table {
	for _, d := range sets {
		t = t.withSet(newTableSet(f, d.Set, d.keep, d.elements))
	}
	return t
}
