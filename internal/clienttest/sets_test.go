package clienttest

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
	"github.com/gatehouse-fw/gatehouse/table/set"
)

// What a banning daemon has: bans that expire, networks that are trusted.
var (
	bans    = set.Set{Name: "bans", Key: set.Nets, Timeout: 10 * time.Minute, Counters: true}
	trusted = set.Set{Name: "trusted", Key: set.Nets}
)

func banRules() table.Table {
	return table.New(table.Filter,
		chain.BuiltIn(chain.Input, chain.Accept,
			rule.Accept(match.In("lo")),
			rule.Return(trusted.Contains(match.SrcAddr)),
			rule.Jump("BANNED", bans.Contains(match.SrcAddr)),
		),
		chain.New("BANNED", rule.Drop()),
	)
}

func prefix(s string) set.Element { return set.Net(netip.MustParsePrefix(s)) }

// elements are a set's as text, in order.
func elements(t testing.TB, fw *backend.Firewall, id table.ID, s set.Set) string {
	t.Helper()
	var out []string
	for e, err := range fw.Elements(t.Context(), id, s) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e.String())
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// editSet is fw.Edit of one set.
func editSet(t testing.TB, fw *backend.Firewall, s set.Set, fn func(s *backend.SetEdit)) {
	t.Helper()
	if err := fw.Edit(t.Context(), func(e *backend.Edit) error { fn(e.Set(table.Filter, s)); return nil }); err != nil {
		t.Fatal(err)
	}
}

// Two thousand bans go in and out, are counted, and neither the rules nor another
// Apply touch them.
func TestBans(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		w.reload = func(testing.TB) {} // what expires is never listed twice alike
		fw := w.client(t)
		rs := table.NewRuleset(banRules().WithSets(bans, trusted))
		w.apply(t, fw, rs)
		var many []set.Element
		for i := range 2000 {
			many = append(many, set.Net(netip.AddrFrom4([4]byte{198, 18, byte(i >> 7), byte(i<<1 + 1)})).For(time.Hour).Comment("sshd"))
		}
		editSet(t, fw, bans, func(s *backend.SetEdit) {
			if n := s.Add(many...); n != 2000 {
				t.Errorf("%d were new", n)
			}
			s.Add(prefix("2001:db8::/32"))
		})
		editSet(t, fw, bans, func(s *backend.SetEdit) {
			if n := s.Add(many[:10]...); n != 0 {
				t.Errorf("%d of those that are there were new", n)
			}
			if n := s.Remove(many[0], prefix("203.0.113.9/32"), many[1]); n != 2 {
				t.Errorf("%d were lifted, want 2", n)
			}
			if s.Has(many[0]) || !s.Has(many[2]) || s.Len() != 1999 {
				t.Errorf("%d are left", s.Len())
			}
		})
		w.apply(t, fw, rs)
		n := 0
		for e, err := range fw.Elements(t.Context(), table.Filter, bans) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			want := time.Hour
			if e.Family() == nf.IPv6 {
				want = 10 * time.Minute
			} else if e.Text() != "sshd" {
				t.Errorf("%v has the comment %q", e, e.Text())
			}
			if e.Left() > want || e.Left() < want-time.Minute {
				t.Errorf("%v has %v left, of %v", e, e.Left(), want)
			}
		}
		if n != 1999 {
			t.Errorf("%d in force", n)
		}
		editSet(t, fw, bans, func(s *backend.SetEdit) { s.Set(prefix("10.0.0.0/8")) })
		if got := elements(t, fw, table.Filter, bans); got != "10.0.0.0/8" {
			t.Error(got)
		}
	})
}

// A declared set has exactly what is declared, also nothing, and is changed by the
// difference.
func TestDeclaredSet(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		w.reload = func(testing.TB) {}
		fw := w.client(t)
		apply := func(es ...set.Element) *backend.Plan {
			t.Helper()
			rs := table.NewRuleset(banRules().WithSets(bans).WithSet(trusted, es...))
			p, err := fw.Plan(t.Context(), rs)
			if err != nil {
				t.Fatal(err)
			}
			w.apply(t, fw, rs)
			return p
		}
		apply(prefix("10.0.0.0/8"), prefix("10.1.0.0/16"), prefix("2001:db8::/32"), prefix("192.0.2.1/32"))
		if got := elements(t, fw, table.Filter, trusted); got != "10.0.0.0/8 192.0.2.1 2001:db8::/32" {
			t.Error(got)
		}
		// Somebody adds one by hand, which the next Plan finds.
		editSet(t, fw, trusted, func(s *backend.SetEdit) { s.Add(prefix("172.16.0.0/12")) })
		p := apply(prefix("10.0.0.0/8"), prefix("192.0.2.1/32").Comment("printer"))
		want := "- filter set trusted: 172.16.0.0/12\n- filter set trusted: 2001:db8::/32\n~ filter set trusted: 192.0.2.1\n"
		if p.String() != want {
			t.Errorf("%v, want\n%s", p, want)
		}
		apply()
		if got := elements(t, fw, table.Filter, trusted); got != "" {
			t.Error(got)
		}
	})
}

// Where ranges overlap they are one, and either can be taken away again.
func TestMergedRanges(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		w.reload = func(testing.TB) {}
		fw := w.client(t)
		w.apply(t, fw, table.NewRuleset(banRules().WithSets(bans, trusted)))
		for _, step := range []struct {
			add, remove, want string
		}{
			{"10.0.1.0/24", "", "10.0.1.0/24"},
			{"10.0.0.0/22", "", "10.0.0.0/24 10.0.1.0/24 10.0.2.0/23"},
			{"", "10.0.1.0/24", "10.0.0.0/24 10.0.2.0/23"},
			{"", "10.0.3.128/25", "10.0.0.0/24 10.0.2.0-10.0.3.127"},
			{"10.0.3.128/32", "", "10.0.0.0/24 10.0.2.0-10.0.3.127 10.0.3.128"},
			{"", "10.0.0.0/8", ""},
			{"0.0.0.0/0", "", "0.0.0.0/0"},
			{"", "255.255.255.255/32", "0.0.0.0-255.255.255.254"},
			{"::/0", "0.0.0.0/0", "::/0"},
		} {
			editSet(t, fw, trusted, func(s *backend.SetEdit) {
				if step.add != "" {
					s.Add(prefix(step.add))
				}
				if step.remove != "" && s.Remove(prefix(step.remove)) != 1 {
					t.Errorf("%s was not there", step.remove)
				}
			})
			if got := elements(t, fw, table.Filter, trusted); got != step.want {
				t.Fatalf("add %q, remove %q: %q, want %q", step.add, step.remove, got, step.want)
			}
		}
	})
}

// Another timeout is another set in the kernel, and the bans go on.
func TestSetBecomesAnother(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		w.reload = func(testing.TB) {}
		fw := w.client(t)
		w.apply(t, fw, table.NewRuleset(banRules().WithSets(bans, trusted)))
		editSet(t, fw, bans, func(s *backend.SetEdit) { s.Add(prefix("10.0.0.0/8"), prefix("::1/128")) })
		other := bans
		other.Timeout = time.Hour
		for range 3 {
			w.apply(t, fw, table.NewRuleset(banRules().WithSets(other, trusted)))
			if got := elements(t, fw, table.Filter, other); got != "10.0.0.0/8 ::1" {
				t.Fatal(got)
			}
			other.Timeout += time.Hour
		}
		for e := range fw.Elements(t.Context(), table.Filter, bans) {
			if e.Left() > 10*time.Minute {
				t.Errorf("%v got %v by it", e, e.Left())
			}
		}
	})
}

// What is wrong is said before anything is sent.
func TestSetsRefused(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		fw := w.client(t)
		w.apply(t, fw, table.NewRuleset(banRules().WithSets(bans, trusted)))
		before := w.list(t)
		tb := banRules()
		for name, tc := range map[string]struct {
			err  error
			is   error
			want string
		}{
			"a missing set": {fw.Apply(t.Context(), table.NewRuleset(tb.WithSets(bans))), fs.ErrNotExist, "INPUT rule 2"},
			"another key":   {fw.Apply(t.Context(), table.NewRuleset(tb.WithSets(bans, set.Set{Name: "trusted", Key: set.Ports}))), backend.ErrInvalid, "trusted"},
			"no key":        {fw.Apply(t.Context(), table.NewRuleset(tb.WithSets(bans, set.Set{Name: "trusted"}))), backend.ErrInvalid, "set trusted"},
			"in use": {fw.Edit(t.Context(), func(e *backend.Edit) error {
				e.DestroySet(table.Filter, "bans")
				return nil
			}), backend.ErrInUse, "INPUT rule 3"},
			"no such set": {fw.Edit(t.Context(), func(e *backend.Edit) error {
				e.DestroySet(table.Filter, "none")
				return nil
			}), fs.ErrNotExist, "set none"},
			"an address that did not parse": {fw.Edit(t.Context(), func(e *backend.Edit) error {
				e.Set(table.Filter, bans).Add(set.Net(netip.Prefix{}))
				return nil
			}), backend.ErrInvalid, "invalid netip.Prefix"},
			"a port among networks": {fw.Edit(t.Context(), func(e *backend.Edit) error {
				e.Set(table.Filter, bans).Add(set.Port(22))
				return nil
			}), backend.ErrInvalid, "22"},
			"no set": {fw.Apply(t.Context(), table.NewRuleset(table.New(table.Filter, chain.New("X", rule.Drop(set.Set{}.Contains(match.SrcAddr)))))), backend.ErrInvalid, "no set"},
		} {
			if !errors.Is(tc.err, tc.is) || tc.err == nil || !strings.Contains(tc.err.Error(), tc.want) {
				t.Errorf("%s: %v", name, tc.err)
			}
		}
		if after := w.list(t); after != before {
			t.Errorf("something was sent:\n%s", diff(before, after))
		}
		shared := w.open(t, backend.Config{Owner: backend.Iptables})
		if err := shared.Apply(t.Context(), table.NewRuleset(table.New(table.Filter.IPv4()).WithSets(trusted))); !errors.Is(err, backend.ErrInexact) {
			t.Errorf("iptables' own tables took a set: %v", err)
		}
		for _, err := range fw.Elements(t.Context(), table.NAT, bans) {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Error(err)
			}
		}
		disjoint := set.Set{Name: "d", Key: set.Nets, Disjoint: true}
		var overlap *set.OverlapError
		err := fw.Edit(t.Context(), func(e *backend.Edit) error {
			e.Set(table.Filter, disjoint).Add(prefix("10.0.0.0/8"))
			e.Set(table.Filter, disjoint).Add(prefix("10.1.0.0/16"))
			return nil
		})
		if !errors.As(err, &overlap) || !errors.Is(err, fs.ErrExist) {
			t.Error(err)
		}
	})
}

// A set that is added to a table for both families that had none takes it out of
// the inet family, and everything else stays as it was.
func TestFirstSetOfATable(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		w.reload = func(testing.TB) {}
		fw := w.client(t)
		plain := table.New(table.Filter, chain.BuiltIn(chain.Input, chain.Drop, rule.Accept(match.In("lo")), rule.Accept(match.Dport(nf.TCP, 22))))
		w.apply(t, fw, table.NewRuleset(plain))
		editSet(t, fw, trusted, func(s *backend.SetEdit) { s.Add(prefix("10.0.0.0/8")) })
		edit(t, fw, table.Filter, chain.Input, func(c *backend.ChainEdit) { c.Append(rule.Accept(trusted.Lacks(match.SrcAddr))) })
		if got := lines(t, fw, table.Filter, chain.Input); len(got) != 3 || fmt.Sprint(got[2]) != "-m own ! --match-set trusted src -j ACCEPT" {
			t.Error(got)
		}
		w.apply(t, fw, table.NewRuleset(plain))
	})
}
