package clienttest

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
)

// dev is the rule that accepts what comes in by a device; its count stands for it.
func dev(name string) rule.Rule { return rule.Accept(match.In(name)) }

// A day of live edits. Every rule begins with a count of its own; after each
// edit the chain has the rules and the counts that the person at the keyboard
// expects. Rules that an edit does not touch keep their handles (see the
// listing on the kernel).
func TestLiveEdits(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		fw := w.client(t)
		rs := table.NewRuleset(table.New(table.Filter,
			chain.BuiltIn(chain.Input, chain.Drop,
				counted(dev("a"), 1), counted(dev("b"), 2), counted(rule.Jump("SIDE"), 3), counted(dev("d"), 4),
			).WithCounters(nf.Counters{Packets: 9, Bytes: 900}),
			chain.New("SIDE", counted(rule.Drop(match.Dport(nf.UDP, 53)), 5)),
		))
		w.apply(t, fw, rs)
		kept := handles(w.list(t), `iifname "d"`)
		for _, s := range []struct {
			name string
			edit func(c *backend.ChainEdit)
			want string
		}{
			{"insert at 3", func(c *backend.ChainEdit) { c.Insert(3, dev("c")) }, "1 a, 2 b, 0 c, 3 SIDE, 4 d"},
			{"replace", func(c *backend.ChainEdit) { c.Replace(2, dev("B")) }, "1 a, 0 B, 0 c, 3 SIDE, 4 d"},
			{"delete by rule", func(c *backend.ChainEdit) { c.Delete(dev("a")) }, "0 B, 0 c, 3 SIDE, 4 d"},
			{"delete by number", func(c *backend.ChainEdit) { c.DeleteAt(2) }, "0 B, 3 SIDE, 4 d"},
			{"append", func(c *backend.ChainEdit) { c.Append(counted(dev("e"), 6)) }, "0 B, 3 SIDE, 4 d, 6 e"},
			{"set", func(c *backend.ChainEdit) { c.Set(dev("d"), dev("f"), dev("e")) }, "4 d, 0 f, 6 e"},
			{"what was set again", func(c *backend.ChainEdit) { c.Insert(1, rule.Jump("SIDE")) }, "0 SIDE, 4 d, 0 f, 6 e"},
			{"zero one", func(c *backend.ChainEdit) { c.Zero(4) }, "0 SIDE, 4 d, 0 f, 0 e"},
		} {
			edit(t, fw, table.Filter, chain.Input, s.edit)
			if got := counts(lines(t, fw, table.Filter, chain.Input)); got != s.want {
				t.Errorf("%s: %s, want %s", s.name, got, s.want)
			}
			if now := handles(w.list(t), `iifname "d"`); !slices.Equal(now, kept) {
				t.Errorf("%s: %q became %q", s.name, kept, now)
			}
		}
		w.reload(t)
		if c, _ := tableOf(t, fw, table.Filter).Chain(chain.Input); c.Counters().Packets != 9 {
			t.Errorf("the policy counts %v", c.Counters())
		}

		side := handles(w.list(t), "udp dport 53")
		edit(t, fw, table.Filter, "SIDE", func(c *backend.ChainEdit) { c.Rename("ASIDE") })
		if got := counts(lines(t, fw, table.Filter, chain.Input)); got != "0 ASIDE, 4 d, 0 f, 0 e" {
			t.Errorf("renamed: %s", got)
		}
		if got := lines(t, fw, table.Filter, "ASIDE"); len(got) != 1 || got[0].Counters().Packets != 5 {
			t.Errorf("the renamed chain has %v", got)
		}
		if now := handles(w.list(t), "udp dport 53"); !slices.Equal(now, side) {
			t.Errorf("renaming the chain made its rule anew: %q became %q", side, now)
		}
		edit(t, fw, table.Filter, chain.Input, func(c *backend.ChainEdit) { c.Zero() })
		if got := counts(lines(t, fw, table.Filter, chain.Input)); got != "0 ASIDE, 0 d, 0 f, 0 e" {
			t.Errorf("zeroed: %s", got)
		}
		if c, _ := tableOf(t, fw, table.Filter).Chain(chain.Input); c.Counters().Packets != 0 {
			t.Errorf("zeroed, the policy counts %v", c.Counters())
		}
		if got := lines(t, fw, table.Filter, "ASIDE"); got[0].Counters().Packets != 5 {
			t.Errorf("zeroing INPUT zeroed another chain: %v", got[0].Counters())
		}
	})
}

// What a verb cannot do makes the whole Edit fail, says which verb and where,
// and changes nothing; the twins that do not mind say whether it was there.
func TestEditsThatFail(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		fw := w.client(t)
		w.apply(t, fw, table.NewRuleset(table.New(table.Filter,
			chain.BuiltIn(chain.Input, chain.Drop, dev("a"), rule.Jump("SIDE")),
			chain.New("SIDE"),
		)))
		before := w.list(t)
		for _, s := range []struct {
			name  string
			chain string
			edit  func(c *backend.ChainEdit)
			is    error
			says  string
		}{
			{"delete a missing rule", chain.Input, func(c *backend.ChainEdit) { c.Delete(dev("x")) }, fs.ErrNotExist, "delete rule: filter INPUT (-i x -j ACCEPT): no such rule"},
			{"delete beyond the end", chain.Input, func(c *backend.ChainEdit) { c.DeleteAt(3) }, fs.ErrNotExist, "delete rule: filter INPUT rule 3: number 3, of 1 to 2"},
			{"insert at 0", chain.Input, func(c *backend.ChainEdit) { c.Insert(0, dev("x")) }, fs.ErrNotExist, "insert rule: filter INPUT: number 0, of 1 to 3"},
			{"replace beyond the end", chain.Input, func(c *backend.ChainEdit) { c.Replace(9, dev("x")) }, fs.ErrNotExist, "rule 9"},
			{"append to a missing chain", "NONE", func(c *backend.ChainEdit) { c.Append(dev("x")) }, fs.ErrNotExist, "filter NONE: no such chain"},
			{"make a chain twice", "SIDE", func(c *backend.ChainEdit) { c.New() }, fs.ErrExist, "add chain: filter SIDE"},
			{"make a built-in chain", chain.Output, func(c *backend.ChainEdit) { c.New() }, fs.ErrExist, "filter OUTPUT"},
			{"a name that is a target", "DNAT", func(c *backend.ChainEdit) { c.New() }, backend.ErrInvalid, "DNAT"},
			{"remove a chain in use", "SIDE", func(c *backend.ChainEdit) { c.Remove() }, backend.ErrInUse, "INPUT rule 2 still goes there"},
			{"rename onto another", "SIDE", func(c *backend.ChainEdit) { c.Rename(chain.Output) }, fs.ErrExist, "OUTPUT"},
			{"rename a missing chain", "NONE", func(c *backend.ChainEdit) { c.Rename("SOME") }, fs.ErrNotExist, "filter NONE: no such user chain"},
			{"a user chain's policy", "SIDE", func(c *backend.ChainEdit) { c.Policy(chain.Drop) }, backend.ErrInvalid, "user chain has no policy"},
			{"a rule that is wrong", chain.Input, func(c *backend.ChainEdit) { c.Append(rule.New(target.DNAT{})) }, backend.ErrInvalid, "filter INPUT rule 3"},
			{"no policy", chain.Input, func(c *backend.ChainEdit) { c.Policy(0) }, backend.ErrInvalid, "policy"},
		} {
			err := fw.Edit(t.Context(), func(e *backend.Edit) error {
				e.Chain(table.Filter, chain.Input).Append(dev("never"))
				e.Chain(table.Filter, chain.Input).DeleteAt(3)
				s.edit(e.Chain(table.Filter, s.chain))
				return nil // nobody looked
			})
			if !errors.Is(err, s.is) || !strings.Contains(err.Error(), s.says) {
				t.Errorf("%s: %v, want %v that says %q", s.name, err, s.is, s.says)
			}
			if len(backend.Errors(err)) != 1 {
				t.Errorf("%s: %d errors: %v", s.name, len(backend.Errors(err)), err)
			}
			if now := w.list(t); now != before {
				t.Fatalf("%s changed\n%s", s.name, diff(before, now))
			}
		}
		edit(t, fw, table.Filter, chain.Input, func(c *backend.ChainEdit) {
			if c.DeleteIfExists(dev("x")) || !c.DeleteIfExists(dev("a")) || c.DeleteFunc(func(rule.Rule) bool { return false }) != 0 {
				t.Error("the twins that do not mind say otherwise")
			}
		})
	})
}

// counts are rules as "7 name", the name being their device's or their chain's.
func counts(rs []rule.Rule) string {
	var out []string
	for _, r := range rs {
		name := r.Target().Name()
		if i, ok := rule.Find[match.Iface](r); ok {
			name, _, _ = i.Device.Get()
		}
		out = append(out, itoa(r.Counters().Packets)+" "+name)
	}
	return strings.Join(out, ", ")
}

// handles are the handles of the listed lines that have a text; in memory, which
// lists none, there are none.
func handles(list, text string) []string {
	var out []string
	for line := range strings.Lines(list) {
		if _, handle, ok := strings.Cut(line, "# handle "); ok && strings.Contains(line, text) {
			out = append(out, strings.TrimSpace(handle))
		}
	}
	return out
}
