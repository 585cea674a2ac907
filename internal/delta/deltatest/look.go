package deltatest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/gatehouse-fw/gatehouse/internal/align"
	"github.com/gatehouse-fw/gatehouse/internal/delta"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
)

// place is where packets meet a base chain.
type place struct {
	table string
	hook  program.Hook
}

// forces is what packets meet: for each place the policy and the rules of the
// base chains there, with those of the chains that they lead to in their place.
// Without withOld chains that were renamed to make way are left out.
func forces(p *program.Program, withOld bool) map[place][]string {
	out := map[place][]string{}
	for _, t := range p.Tables {
		for _, c := range t.Chains {
			if !c.Base || !withOld && strings.Contains(c.Name, ".old") {
				continue
			}
			var b strings.Builder
			fmt.Fprintf(&b, "policy %v\n", c.Policy)
			meet(&b, t, c, " ")
			k := place{t.Family.String() + " " + t.Name, c.Hook}
			out[k] = append(out[k], b.String())
		}
	}
	return out
}

func meet(b *strings.Builder, t *program.Table, c *program.Chain, indent string) {
	for _, r := range c.Rules {
		var line []string
		var to []*program.Chain
		for _, e := range r.Exprs {
			switch e := e.(type) {
			case program.Counter:
				continue
			case program.Lookup:
				if e.Const != (program.ConstSet{}) {
					e.Name = ""
				}
				line = append(line, e.String())
			case program.Verdict:
				if next := t.Chain(e.Chain); next != nil && e.Chain != "" {
					to = append(to, next)
					e.Chain = "…"
				}
				line = append(line, e.String())
			default:
				line = append(line, e.String())
			}
		}
		if len(to) == 1 && len(line) == 1 && userdata.DecodeChain(to[0].UserData).Of != "" {
			meet(b, t, to[0], indent) // a page
			continue
		}
		fmt.Fprintf(b, "%s%s %q\n", indent, strings.Join(line, " "), r.UserData)
		for _, next := range to {
			meet(b, t, next, indent+" ")
		}
	}
}

// same says whether the host holds what is wanted, and nothing else.
func same(t *rapid.T, got, want *program.Program) {
	if len(got.Tables) != len(want.Tables) {
		t.Fatalf("%d tables, want %d", len(got.Tables), len(want.Tables))
	}
	for _, w := range want.Tables {
		g := got.Table(w.Family, w.Name)
		if g == nil || len(g.Chains) != len(w.Chains) || len(g.Sets) != len(w.Sets) {
			t.Fatalf("table %s is not as wanted: %+v", w.Name, g)
		}
		for _, c := range w.Chains {
			h := g.Chain(c.Name)
			switch {
			case h == nil:
				t.Fatalf("no chain %s", c.Name)
			case h.Base != c.Base || h.Hook != c.Hook || h.Policy != c.Policy || h.UserData != c.UserData || h.Counted != c.Counted:
				t.Fatalf("chain %+v, want %+v", h, c)
			case !slices.EqualFunc(h.Rules, c.Rules, (*program.Rule).Same):
				t.Fatalf("the rules of chain %s are not as wanted", c.Name)
			}
		}
		for _, s := range w.Sets {
			h := g.Set(s.Name)
			if h == nil || elements(h) != elements(s) {
				t.Fatalf("set %s is %v, want %v", s.Name, h, s)
			}
		}
	}
}

// elements are a set's elements in order.
func elements(s *program.Set) string {
	list := slices.Clone(s.Elements)
	slices.SortFunc(list, func(a, b program.Element) int {
		return cmp.Or(strings.Compare(a.Key, b.Key), strings.Compare(fmt.Sprint(a.End), fmt.Sprint(b.End)))
	})
	var b strings.Builder
	for _, e := range list {
		fmt.Fprintf(&b, "%x %t %v\n", e.Key, e.End, e.Verdict)
	}
	return b.String()
}

// kept says whether rules that stay have their handles, and they and those that
// move within their chain their counts.
func kept(t *rapid.T, before, after, want *program.Program) {
	for _, w := range want.Tables {
		old, now := before.Table(w.Family, w.Name), after.Table(w.Family, w.Name)
		if old == nil {
			continue
		}
		for _, c := range w.Chains {
			was, is := old.Chain(c.Name), now.Chain(c.Name)
			if was == nil || was.Handle != is.Handle {
				continue
			}
			n := 0
			for _, r := range is.Rules {
				if slices.ContainsFunc(was.Rules, func(o *program.Rule) bool { return o.Handle == r.Handle }) {
					n++
				}
			}
			could := 0
			for _, i := range align.Rules(was.Rules, is.Rules) {
				if i >= 0 {
					could++
				}
			}
			if n < could {
				t.Fatalf("%d rules of chain %s kept their handles, %d could have", n, c.Name, could)
			}
		}
		counted(t, counts(old), counts(now), fresh(w))
	}
}

// counts are the packets that rules count, by logical chain and what they do.
func counts(t *program.Table) map[string][]uint64 {
	out := map[string][]uint64{}
	for _, c := range t.Chains {
		for _, r := range c.Rules {
			if n, ok := r.Counts(); ok {
				k := known(c, r)
				out[k] = append(out[k], n.Packets)
			}
		}
	}
	for _, list := range out {
		slices.Sort(list)
	}
	return out
}

func logical(c *program.Chain) string {
	if d := userdata.DecodeChain(c.UserData); d.Of != "" {
		return d.Of
	}
	return c.Name
}

// known is what a count is known by: a rule's comment may change.
func known(c *program.Chain, r *program.Rule) string {
	bare := *r
	bare.UserData = ""
	return logical(c) + "\x00" + bare.Key()
}

// fresh are the rules of which one is to start anew.
func fresh(t *program.Table) map[string]bool {
	out := map[string]bool{}
	for _, c := range t.Chains {
		for _, r := range c.Rules {
			if r.Fresh {
				out[known(c, r)] = true
			}
		}
	}
	return out
}

// counted: of rules that there are as many of as before or more, every count is
// still there; of those that there are fewer of, each has one of the old.
func counted(t *rapid.T, old, now map[string][]uint64, fresh map[string]bool) {
	for k, was := range old {
		is := now[k]
		few, many := was, is
		if len(is) < len(was) {
			few, many = is, was
		}
		if fresh[k] {
			continue
		}
		for _, n := range few {
			i, ok := slices.BinarySearch(many, n)
			if !ok {
				t.Fatalf("%q counted %v and counts %v", k, was, is)
			}
			many = slices.Delete(slices.Clone(many), i, i+1)
		}
	}
}

// kinds says what a plan does, for messages.
func kinds(p delta.Plan) []string {
	return slices.Concat([]string{"stage:"}, describe(p.Stage), []string{"switch:"}, describe(p.Switch),
		[]string{"sweep:"}, describe(p.Sweep))
}

func describe(ops []driver.Op) []string {
	var out []string
	for i, op := range ops {
		s := fmt.Sprintf("%d %v", i, op.Kind)
		if op.Chain != nil {
			s += " " + op.Chain.Name
		}
		if op.Set != nil {
			s += fmt.Sprintf(" %s %v", op.Set.Name, op.Set.Elements)
		}
		if op.Rule != nil {
			s += fmt.Sprintf(" #%d before %d %v %q", op.Rule.Handle, op.Before, op.Rule.Exprs, op.Rule.UserData)
		}
		out = append(out, s+op.To+"\n")
	}
	return out
}
