package compile

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
	"github.com/gatehouse-fw/gatehouse/table/set"
)

// A table for both families that has a set of addresses is an ip and an ip6 table:
// the kernel's sets hold keys of one length. Each half has the set under its own
// name, with the elements of its family, and those without addresses are in both.

// addressed says whether a table has a set that an inet table cannot hold.
func addressed(t table.Table) bool {
	for s := range t.Sets() {
		if s.Key.Addressed() {
			return true
		}
	}
	return false
}

// plainSets are the errors of sets in a table that is shared with iptables.
func plainSets(t table.Table) (errs []*Error) {
	for s := range t.Sets() {
		errs = append(errs, &Error{Table: t.ID(), Set: s.Name, Err: &program.InexactError{
			Extension: "own", Why: "the tables that iptables shares hold no sets of nf_tables",
			Hint: "use a kernel ipset (-m set), or another owner than iptables",
		}})
	}
	return errs
}

// sets compiles the sets, and tells the rules of them.
func (w *tableWriter) sets() []*program.Set {
	var out []*program.Set
	var own []program.OwnSet
	for s := range w.t.Sets() {
		p := w.set(s)
		out = append(out, p)
		own = append(own, ownSet(s.Name, p))
	}
	w.env.Sets = program.NewOwnSets(own...)
	return out
}

func ownSet(name string, p *program.Set) program.OwnSet {
	return program.OwnSet{Name: name, Kernel: p.Name, KeyType: p.KeyType, Ranges: p.Flags&program.SetConcat != 0}
}

// set compiles one.
func (w *tableWriter) set(s set.Set) *program.Set {
	f := familyOf(w.env.Family)
	kept, edited := w.t.SetKept(s.Name)
	p := SetOf(s, f, kept)
	if w.o.SetName != nil {
		if name := w.o.SetName(w.env.Family, w.t.ID(), s.Name, p); name != "" && name != p.Name {
			p.Name = name
			p.UserData = wire.Notes(p, describe(s, kept, name))
		}
	}
	p.Keep = kept && !edited
	p.Elements = make([]program.Element, 0, w.t.SetLen(s.Name)*2)
	for e, fresh := range w.t.Entries(s.Name) {
		if _, ok := e.Family().And(f); ok {
			p.Elements = AppendElement(p.Elements, p, e, fresh)
		}
	}
	return p
}

// SetOf is a set without its elements as a table of a family has it.
func SetOf(s set.Set, f nf.Family, kept bool) *program.Set {
	p := &program.Set{
		Name: KernelName(s.Name), Flags: program.SetTimeout, Timeout: uint64(s.Timeout / time.Millisecond),
		Size: uint32(s.Size), Counted: s.Counters,
	}
	var types []program.KeyType
	fields := s.Key.Fields()
	for _, k := range fields {
		t := k.Type(f)
		types = append(types, t)
		n := t.Len()
		if len(fields) > 1 {
			n = program.Padded(n)
		}
		p.KeyLen += uint32(n)
	}
	p.KeyType = program.Concat(types...)
	if s.Key.Has(set.Nets) {
		p.Flags |= program.SetInterval
		if len(types) > 1 {
			p.Flags |= program.SetConcat
			for _, t := range types {
				p.Fields += string([]byte{byte(t.Len())})
			}
		}
	}
	p.Host = len(types) == 1 && types[0].Host()
	p.UserData = wire.Notes(p, describe(s, kept, p.Name))
	return p
}

// describe is what a set says of itself.
func describe(s set.Set, kept bool, kernel string) string {
	d := userdata.Set{Key: s.Key.String(), Keep: kept, Disjoint: s.Disjoint}
	if kernel != s.Name {
		d.Name = s.Name
	}
	return d.Comment()
}

// AppendElement appends an element as set p holds it.
func AppendElement(out []program.Element, p *program.Set, e set.Element, fresh bool) []program.Element {
	lo, hi := e.Bounds()
	x := program.Element{Key: lo, Fresh: fresh, UserData: userdata.ElementComment(e.Text())}
	limit := p.Timeout
	if d, ok := e.Timeout(); ok {
		limit = uint64(d / time.Millisecond)
		x.Timeout, x.Forever = limit, d == 0 && p.Timeout != 0
	}
	if left := uint64(e.Left() / time.Millisecond); left < limit {
		x.Left = left
	}
	if n := e.Counters(); p.Counted {
		x.Packets, x.Bytes = n.Packets, n.Bytes
	}
	switch {
	case p.Ranges():
		return wire.AppendRange(out, x, hi)
	case p.Flags&program.SetConcat != 0:
		x.KeyEnd = hi
	}
	return append(out, x)
}

// readSet is a set as it was read.
type readSet struct {
	set.Set
	keep     bool
	elements []set.Element
}

// OwnSetOf says what set of one's own a kernel's set is; ok is false for
// somebody else's. The error is userdata.ErrNewer where a newer release made it.
func OwnSetOf(p *program.Set, f program.Family) (s set.Set, keep, ok bool, err error) {
	d, ok, err := userdata.ParseSet(wire.SetComment(p.UserData))
	if !ok {
		return s, false, false, nil
	}
	s = set.Set{
		Name: d.Name, Timeout: time.Duration(p.Timeout) * time.Millisecond,
		Counters: p.Counted, Size: int(p.Size), Disjoint: d.Disjoint,
	}
	if s.Name == "" {
		s.Name = ModelName(p.Name)
	}
	key, kerr := set.ParseKey(d.Key)
	s.Key = key
	if kerr != nil || s.Err() != nil {
		return s, false, false, err
	}
	want := SetOf(s, familyOf(f), d.Keep)
	ok = want.KeyType == p.KeyType && want.KeyLen == p.KeyLen && want.Flags == p.Flags && want.Fields == p.Fields && p.Raw == ""
	return s, d.Keep, ok, err
}

// ReadElements makes elements of a kernel set's.
func ReadElements(s set.Set, p *program.Set, f program.Family) []set.Element {
	out := make([]set.Element, 0, len(p.Elements))
	family := familyOf(f)
	if p.Ranges() {
		for e, last := range wire.EachRange(p) {
			out = append(out, readElement(s, p, family, &e, last))
		}
		return out
	}
	for i := range p.Elements {
		e := &p.Elements[i]
		if len(e.Key) != int(p.KeyLen) {
			continue
		}
		last := e.Key
		if e.KeyEnd != "" {
			last = e.KeyEnd
		}
		out = append(out, readElement(s, p, family, e, last))
	}
	return out
}

func readElement(s set.Set, p *program.Set, f nf.Family, e *program.Element, last string) set.Element {
	out := set.Read(s.Key, f, e.Key, last)
	if e.Timeout != 0 || e.Forever {
		out = out.For(time.Duration(e.Timeout) * time.Millisecond)
	}
	if e.Left != 0 {
		out = out.Expires(time.Duration(e.Left) * time.Millisecond)
	}
	if p.Counted {
		out = out.WithCounters(nf.Counters{Packets: e.Packets, Bytes: e.Bytes})
	}
	if e.UserData != "" {
		out = out.Comment(userdata.CommentOf(e.UserData))
	}
	return out
}

// readSets reads a table's own sets. A set of a name that an older one of the owner's
// still has, which is about to be swept, is the set of that name.
func readSets(t *program.Table) (sets []readSet, own *program.OwnSets, err error) {
	var refs []program.OwnSet
	for _, p := range t.Sets {
		s, keep, ok, serr := OwnSetOf(p, t.Family)
		err = errors.Join(err, serr)
		if !ok {
			continue
		}
		refs = append(refs, ownSet(s.Name, p))
		sets = slices.DeleteFunc(sets, func(o readSet) bool { return o.Name == s.Name })
		sets = append(sets, readSet{s, keep, ReadElements(s, p, t.Family)})
	}
	return sets, program.NewOwnSets(refs...), err
}

// bare is a table with sets that have no elements.
func bare(t *program.Table) *program.Table {
	out := *t
	out.Sets = make([]*program.Set, len(t.Sets))
	for i, s := range t.Sets {
		empty := *s
		empty.Elements = nil
		out.Sets[i] = &empty
	}
	return &out
}

// withSets gives a table the sets that were read.
func withSets(t table.Table, sets []readSet) table.Table {
	for _, s := range sets {
		if s.keep {
			t = t.WithKept(s.Set, s.elements...)
			continue
		}
		t = t.WithSet(s.Set, s.elements...)
	}
	return t
}

// joinSets are the sets of two halves: addresses of both, and of what has none those
// of either, with the counts of both.
func joinSets(v4, v6 []readSet) []readSet {
	out := slices.Clone(v4)
	for _, b := range v6 {
		i := slices.IndexFunc(out, func(a readSet) bool { return a.Name == b.Name })
		switch {
		case i < 0:
			out = append(out, b)
		case b.Key != out[i].Key:
		case b.Key.Addressed():
			out[i].elements = append(slices.Clip(out[i].elements), b.elements...)
		default:
			out[i].elements = joinElements(out[i].elements, b.elements)
		}
	}
	return out
}

func joinElements(a, b []set.Element) []set.Element {
	at := make(map[string]int, len(a))
	out := slices.Clone(a)
	for i, e := range out {
		key, _ := e.Bounds()
		at[key] = i
	}
	for _, e := range b {
		key, _ := e.Bounds()
		if i, ok := at[key]; ok {
			out[i] = out[i].WithCounters(out[i].Counters().Add(e.Counters()))
			continue
		}
		out = append(out, e)
	}
	return out
}

// setError is "filter set bans: reason".
func (e *Error) setError() string { return fmt.Sprintf("%s set %s: %v", e.Table.Name(), e.Set, e.Err) }
