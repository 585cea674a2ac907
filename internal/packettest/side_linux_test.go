package packettest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// side is one implementation of iptables in a world of its own.
type side struct {
	*world
	name  string
	load  func(text string) error // save text, instead of what was there
	saved func() string           // save text with counters
}

// sides are the real iptables-legacy, the judge, and then us: in tables of the
// one family, and in tables for both.
func sides(t testing.TB, f nf.Family) []*side {
	t.Helper()
	return []*side{
		legacy(t, f),
		ours(t, "ours", "packettest", f, f),
		ours(t, "ours for both", "packettest", f, nf.Both),
	}
}

// plain are the judge and us with iptables' own tables.
func plain(t testing.TB, f nf.Family) []*side {
	t.Helper()
	return []*side{legacy(t, f), ours(t, "ours as iptables", backend.Iptables, f, f)}
}

func legacy(t testing.TB, f nf.Family) *side {
	t.Helper()
	s := &side{world: newWorld(t), name: "iptables-legacy"}
	ipt := oracle.Legacy(t, s.host)
	if f == nf.IPv6 {
		ipt = ipt.V6()
	}
	s.load = func(text string) error {
		// What is not said iptables-restore leaves as it is.
		for _, name := range tablesOf(s.saved()) {
			if !strings.Contains(text, "*"+name+"\n") {
				text += "*" + name + "\nCOMMIT\n"
			}
		}
		if r := ipt.Restore(text, "-c"); r.Exit != 0 {
			return fmt.Errorf("exit %d: %s", r.Exit, r.Stderr)
		}
		return nil
	}
	s.saved = func() string { return oracle.StripComments(ipt.Save("-c")) }
	return s
}

func ours(t testing.TB, name, owner string, f, of nf.Family) *side {
	t.Helper()
	s := &side{world: newWorld(t), name: name}
	fw, err := nft.OpenIn(t.Context(), nft.FD(s.host.FD()), backend.Config{Owner: owner})
	s.must(err)
	t.Cleanup(func() { fw.Close() })
	s.load = func(text string) error {
		if err := fw.Remove(t.Context()); err != nil {
			return err
		}
		rs, err := table.Parse(strings.NewReader(text), f)
		if err != nil {
			return err
		}
		var all []table.Table
		for tab := range rs.Tables() {
			all = append(all, in(tab, of))
		}
		return fw.Apply(t.Context(), table.NewRuleset(all...))
	}
	s.saved = func() string {
		rs, err := fw.Read(t.Context())
		s.must(err)
		var out strings.Builder
		for tab := range rs.Tables() {
			_, err := in(tab, f).Save(&out, table.Saving{Counters: true})
			s.must(err)
		}
		return out.String()
	}
	return s
}

// in is a table's chains in the same table for another family.
func in(t table.Table, f nf.Family) table.Table {
	out := table.New(t.ID().For(f))
	for c := range t.Chains() {
		out = out.WithChain(c)
	}
	return out
}

// tablesOf are the tables in save text.
func tablesOf(text string) (names []string) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "*") {
			names = append(names, strings.TrimSpace(line[1:]))
		}
	}
	return names
}

// counted is what one rule or policy counted.
type counted struct{ where, counts string }

// counts are what every rule and policy of these tables counted, once that
// stands still.
func (s *side) counts(tables []string) []counted {
	s.t.Helper()
	before := s.saved()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		time.Sleep(3 * time.Millisecond)
		after := s.saved()
		if before == after {
			break
		}
		before = after
	}
	return slices.DeleteFunc(countsOf(before), func(c counted) bool {
		name, _, _ := strings.Cut(c.where, " ")
		return !slices.Contains(tables, name)
	})
}

// countsOf reads save text: "[1:2] -A CHAIN …" and ":CHAIN ACCEPT [1:2]". Rules
// are numbered, so that two that read alike are two. The tables' order is none.
func countsOf(text string) (out []counted) {
	name, number := "", map[string]int{}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "*"):
			name, number = line[1:], map[string]int{}
		case strings.HasPrefix(line, ":"):
			head, counts, _ := strings.Cut(line[1:], " [")
			if !strings.HasSuffix(head, " -") { // a user chain has none
				out = append(out, counted{name + " " + head, strings.TrimSuffix(counts, "]")})
			}
		case strings.HasPrefix(line, "["):
			counts, spec, _ := strings.Cut(line[1:], "] -A ")
			chain, _, _ := strings.Cut(spec, " ")
			number[chain]++
			out = append(out, counted{fmt.Sprintf("%s %s, rule %d", name, spec, number[chain]), counts})
		}
	}
	return out
}
