package table_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
)

func input(rules ...rule.Rule) chain.Chain { return chain.BuiltIn(chain.Input, chain.Drop, rules...) }

// all are the errors that were joined.
func all(err error) (out []*table.Error) {
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range j.Unwrap() {
			out = append(out, all(e)...)
		}
		return out
	}
	if e := (*table.Error)(nil); errors.As(err, &e) {
		out = append(out, e)
	}
	return out
}

func TestRefused(t *testing.T) {
	filter := func(chains ...chain.Chain) table.Ruleset {
		return table.NewRuleset(table.New(table.Filter, chains...))
	}
	out := chain.BuiltIn(chain.Output, chain.Accept, rule.Accept(match.In("lo")))
	for name, tc := range map[string]struct {
		rs   table.Ruleset
		is   error
		text string
	}{
		"two filter tables":       {table.NewRuleset(table.New(table.Filter), table.New(table.Filter)), fs.ErrExist, "filter: two tables"},
		"Both beside one":         {table.NewRuleset(table.New(table.Filter), table.New(table.Filter.IPv4())), table.ErrBothOne, "IPv4 filter: "},
		"Both beside the other":   {table.NewRuleset(table.New(table.Raw.IPv6()), table.New(table.Raw)), table.ErrBothOne, "IPv6 raw: "},
		"no table":                {table.NewRuleset(table.Table{}), table.ErrNoTable, "no table: "},
		"two chains of one name":  {filter(chain.New("x"), chain.New("x")), fs.ErrExist, "filter x: two chains"},
		"a bad name":              {filter(chain.New("a b")), chain.ErrName, "filter a b: bad chain name"},
		"no name":                 {filter(chain.Chain{}), chain.ErrName, "filter: bad chain name: empty"},
		"INPUT as a user chain":   {filter(chain.New("INPUT")), chain.ErrPolicy, "filter INPUT: bad policy"},
		"a user chain's policy":   {filter(chain.BuiltIn("x", chain.Drop)), chain.ErrPolicy, "filter x: bad policy"},
		"POSTROUTING in filter":   {filter(chain.BuiltIn(chain.Postrouting, chain.Accept)), table.ErrHook, "filter POSTROUTING: "},
		"a missing chain":         {filter(input(rule.Accept(), rule.Jump("x"))), fs.ErrNotExist, "filter INPUT rule 2: chain x: file does not exist (-j x)"},
		"a missing chain, goto":   {filter(input(rule.Goto("x"))), fs.ErrNotExist, "filter INPUT rule 1: chain x: "},
		"an unknown target":       {filter(input(rule.Jump("AUDIT"))), fs.ErrNotExist, "filter INPUT rule 1: unknown target AUDIT, and no chain of that name: file does not exist (-j AUDIT)"},
		"a built-in chain":        {filter(input(rule.Jump("OUTPUT")), chain.BuiltIn(chain.Output, chain.Accept)), table.ErrBuiltIn, "filter INPUT rule 1: OUTPUT: "},
		"one that is not there":   {filter(input(rule.Jump("OUTPUT"))), table.ErrBuiltIn, "filter INPUT rule 1: OUTPUT: "},
		"a chain to itself":       {filter(chain.New("x", rule.Jump("x"))), table.ErrLoop, "filter x rule 1: the chains jump in a loop: x -> x (-j x)"},
		"-o in INPUT":             {filter(input(rule.Accept(match.NotOut("eth0")))), table.ErrInterface, "filter INPUT rule 1: can't use -o with INPUT"},
		"-i in OUTPUT":            {filter(out), table.ErrInterface, "filter OUTPUT rule 1: can't use -i with OUTPUT"},
		"-o in PREROUTING":        {table.NewRuleset(table.New(table.Raw, chain.BuiltIn(chain.Prerouting, chain.Accept, rule.Drop(match.Out("a"))))), table.ErrInterface, "raw PREROUTING rule 1: can't use -o"},
		"-i in POSTROUTING":       {table.NewRuleset(table.New(table.NAT, chain.BuiltIn(chain.Postrouting, chain.Accept, rule.Accept(match.In("a"))))), table.ErrInterface, "nat POSTROUTING rule 1: can't use -i"},
		"DROP in nat":             {table.NewRuleset(table.New(table.NAT, chain.New("x", rule.Drop()))), table.ErrPlace, "nat x rule 1: "},
		"a rule's own":            {filter(input(rule.Accept(match.In("")))), nil, "filter INPUT rule 1: -i: "},
		"IPv6 in an IPv4 table":   {table.NewRuleset(table.New(table.Filter.IPv4(), input(rule.Accept(match.Source(netip.MustParseAddr("::1")))))), rule.ErrFamily, "IPv4 filter INPUT rule 1: "},
		"IPv6 in an IPv4 table 2": {table.NewRuleset(table.New(table.Filter.IPv4()).WithChain(input(rule.Accept(match.Only(nf.IPv6))))), rule.ErrFamily, "IPv4 filter INPUT rule 1: "},
	} {
		errs := all(tc.rs.Err())
		if len(errs) != 1 {
			t.Errorf("%s: %v", name, tc.rs.Err())
			continue
		}
		if tc.is != nil && !errors.Is(errs[0], tc.is) || !strings.HasPrefix(errs[0].Error(), tc.text) {
			t.Errorf("%s: %v, want %v and %q", name, errs[0], tc.is, tc.text)
		}
	}
}

func TestAllowed(t *testing.T) {
	for name, rs := range map[string]table.Ruleset{
		"nothing":              {},
		"IPv4 beside IPv6":     table.NewRuleset(table.New(table.Filter.IPv6()), table.New(table.Filter.IPv4())),
		"other tables":         table.NewRuleset(table.New(table.Filter), table.New(table.NAT.IPv4())),
		"-i and -o in a chain": table.NewRuleset(table.New(table.Filter, chain.New("x", rule.Accept(match.In("a"), match.Out("b"))))),
		"-o in FORWARD":        table.NewRuleset(table.New(table.Filter, chain.BuiltIn(chain.Forward, chain.Accept, rule.Accept(match.Out("b"))))),
		"a diamond":            table.NewRuleset(table.New(table.Filter, input(rule.Jump("a"), rule.Goto("b")), chain.New("a", rule.Jump("c")), chain.New("b", rule.Jump("c")), chain.New("c"))),
		"RETURN in INPUT":      table.NewRuleset(table.New(table.Filter, input(rule.Return()))),
		"ACCEPT in nat":        table.NewRuleset(table.New(table.NAT, chain.BuiltIn(chain.Postrouting, chain.Accept, rule.Accept()))),
	} {
		if err := rs.Err(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestABadRuleNamesItsPlace(t *testing.T) {
	rules := slices.Repeat([]rule.Rule{rule.Accept(match.In("lo"))}, 499)
	rules = append(rules, rule.Accept(match.In("")))
	err := table.NewRuleset(table.New(table.Filter, input(rules...))).Err()
	if err == nil || !strings.Contains(err.Error(), "filter INPUT rule 500") {
		t.Error(err)
	}
}

func TestEverythingIsReportedAtOnce(t *testing.T) {
	rs := table.NewRuleset(
		table.New(table.Filter, input(rule.Jump("x"), rule.Accept(), rule.Accept(match.TCP{Option: match.Is(uint8(0))})), chain.New("y", rule.Jump("y"))),
		table.New(table.NAT, chain.BuiltIn(chain.Forward, chain.Accept)))
	got := map[string]string{}
	for _, e := range all(rs.Err()) {
		got[fmt.Sprint(e.Table, " ", e.Chain, " ", e.Rule)] = e.Extension + "|" + e.Text
	}
	want := map[string]string{
		"filter INPUT 1": "|-j x", "filter INPUT 3": "tcp|-p tcp -m tcp --tcp-option 0 -j ACCEPT",
		"filter y 1": "|-j y", "nat FORWARD 0": "|",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v\nwant %v", got, want)
	}
}

func TestALoopNamesItsPath(t *testing.T) {
	rs := table.NewRuleset(table.New(table.Filter, input(rule.Jump("a")),
		chain.New("a", rule.Accept(), rule.Goto("b")), chain.New("b", rule.Jump("c")), chain.New("c", rule.Drop(), rule.Drop(), rule.Jump("a"))))
	var loop *table.LoopError
	errs := all(rs.Err())
	if len(errs) != 1 || !errors.As(errs[0], &loop) || !slices.Equal(loop.Path, []string{"a", "b", "c", "a"}) {
		t.Fatal(rs.Err())
	}
	if errs[0].Chain != "c" || errs[0].Rule != 3 {
		t.Error(errs[0])
	}
}

// tower is INPUT with n chains below it, by jumps and gotos in turn.
func tower(n int) table.Ruleset {
	tb := table.New(table.Filter, input(rule.Accept(), rule.Jump("c1")))
	for i := 1; i <= n; i++ {
		c := chain.New(fmt.Sprint("c", i))
		if i < n {
			c = c.With(rule.New(target.Goto(fmt.Sprint("c", i+1))))
		}
		if i < n && i%2 == 0 {
			c = c.With(rule.Jump(fmt.Sprint("c", i+1)))
		}
		tb = tb.WithChain(c)
	}
	return table.NewRuleset(tb)
}

// The kernel takes 15 chains below a built-in one and refuses the sixteenth.
func TestDepth(t *testing.T) {
	if err := tower(15).Err(); err != nil {
		t.Error(err)
	}
	var deep *table.DepthError
	errs := all(tower(16).Err())
	if len(errs) != 1 || !errors.As(errs[0], &deep) || !errors.Is(errs[0], table.ErrDepth) {
		t.Fatal(errs)
	}
	if errs[0].Chain != "INPUT" || errs[0].Rule != 2 || len(deep.Path) != 17 || deep.Path[16] != "c16" {
		t.Error(errs[0])
	}
}

func TestDepthIsMeasuredOnce(t *testing.T) {
	// 14 levels of 8 jumps each, to one chain: 8^14 paths.
	tb := table.New(table.Filter, input(rule.Jump("c0")))
	for i := range 14 {
		tb = tb.WithChain(chain.New(fmt.Sprint("c", i), slices.Repeat([]rule.Rule{rule.Jump(fmt.Sprint("c", i+1))}, 8)...))
	}
	tb = tb.WithChain(chain.New("c14"))
	start := time.Now()
	if err := table.NewRuleset(tb).Err(); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 100*time.Millisecond {
		t.Error("took", took)
	}
}
