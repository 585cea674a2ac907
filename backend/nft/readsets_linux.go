package nft

import (
	"context"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
)

// elementTries is how often a set's elements are read where they do not add up:
// while the kernel resizes a set, it lists some twice and some not at all.
const elementTries = 20

// listed is a set and how many elements the kernel says it has.
type listed struct {
	*program.Set
	count int // -1: it does not say
}

// sets reads a table's sets into t, and returns those that are constants. Those
// that are a rule's own are among them, not in t.
func (r *reading) sets(ctx context.Context, t *program.Table) (constant map[string]*program.Set, err error) {
	var all []listed
	err = r.dumps.ask(ctx, func(seq uint32) []byte {
		return wire.DumpSets(seq, t.Family, t.Name)
	}, func(m wire.Message) error {
		table, s, count, err := wire.DecodeSet(m)
		if err == nil && table == t.Name && m.Family() == t.Family {
			all = append(all, listed{s, count})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	constant = make(map[string]*program.Set)
	for _, s := range all {
		anonymous := s.Flags&program.SetAnonymous != 0
		if r.scope.Bare && (anonymous || r.scope.Elements == nil) {
			if !anonymous {
				t.Sets = append(t.Sets, s.Set)
			}
			continue
		}
		if r.scope.Elements != nil && !anonymous && !r.scope.Elements(t, s.Set) {
			s.Unread = true
			t.Sets = append(t.Sets, s.Set)
			continue
		}
		if err := r.elements(ctx, t, s); err != nil {
			return nil, err
		}
		if s.Flags&program.SetConstant != 0 {
			constant[s.Name] = s.Set
		}
		if !anonymous || s.Flags&program.SetConstant == 0 {
			t.Sets = append(t.Sets, s.Set)
		}
	}
	return constant, nil
}

// elements reads a set's elements until they add up.
func (r *reading) elements(ctx context.Context, t *program.Table, s listed) error {
	before := -1
	for range elementTries {
		twice, err := r.dumpElements(ctx, t, s.Set)
		if err != nil {
			return err
		}
		n := len(s.Elements)
		// What has timed out is counted until it is collected, and not listed.
		if s.adds() || s.Flags&program.SetTimeout != 0 && !twice && n == before {
			return nil
		}
		before = n
	}
	return errMoved
}

// adds says whether as many elements were read as the kernel counts. In a set
// that packets fill, any number is right. Of ranges in one field it counts half the
// elements, since two make a range, rounded as it likes.
func (s listed) adds() bool {
	n := len(s.Elements)
	switch {
	case s.count < 0 || s.Flags&program.SetEval != 0:
		return true
	case s.Flags&program.SetInterval != 0 && s.Flags&program.SetConcat == 0:
		return n >= 2*s.count-1 && n <= 2*s.count+1
	}
	return n == s.count
}

// elementKey is what tells two elements of a set apart.
type elementKey struct {
	key, keyEnd   string
	end, catchAll bool
}

// dumpElements reads a set's elements, each once, and says whether one came twice.
func (r *reading) dumpElements(ctx context.Context, t *program.Table, s *program.Set) (twice bool, err error) {
	s.Elements = nil
	seen := make(map[elementKey]bool)
	err = r.dumps.ask(ctx, func(seq uint32) []byte {
		return wire.DumpElements(seq, t.Family, t.Name, s.Name)
	}, func(m wire.Message) error {
		es, err := wire.DecodeElements(m, s)
		for _, e := range es {
			k := elementKey{e.Key, e.KeyEnd, e.End, e.CatchAll}
			if seen[k] {
				twice = true
				continue
			}
			seen[k] = true
			s.Elements = append(s.Elements, e)
		}
		return err
	})
	return twice, err
}
