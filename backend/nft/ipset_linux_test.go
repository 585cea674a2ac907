package nft_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
)

func ipsetHost(t *testing.T, owner string) (*lab.Host, *oracle.Tool, *backend.Firewall) {
	t.Helper()
	host := labtest.Host(t)
	ipset := oracle.NewTool(t, host, "ipset")
	fw, err := nft.OpenIn(t.Context(), nft.FD(host.FD()), backend.Config{Owner: owner})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fw.Close() })
	return host, ipset, fw
}

func inputOf(rules ...rule.Rule) table.Ruleset {
	return table.NewRuleset(table.New(table.Filter.IPv4(), chain.BuiltIn("INPUT", chain.Accept, rules...)))
}

// A rule names a set by its name: it reads back so, whatever number the set had,
// and a swap of two sets' contents changes no rule.
func TestIPSetsAreKnownByName(t *testing.T) {
	_, ipset, fw := ipsetHost(t, "ipsets")
	for _, name := range []string{"first", "second", "third"} {
		ipset.Must("create", name, "hash:ip")
	}
	ipset.Must("destroy", "first") // so that numbers are not the order of names
	ipset.Must("create", "fourth", "hash:ip")
	want := inputOf(
		rule.New(target.Drop, match.InSet("third", nf.Src)),
		rule.New(target.SET{Add: nf.InIPSet("fourth", nf.Src), Del: nf.InIPSet("second", nf.Dst)}, match.NotInSet("second", nf.Src)),
	)
	if err := fw.Apply(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	ipset.Must("swap", "third", "second")
	plan, err := fw.Plan(t.Context(), want)
	if err != nil || !plan.Empty() {
		t.Errorf("a plan after it was applied: %v, %v", plan, err)
	}
	rs, err := fw.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if _, err := rs.Save(&text, table.Saving{}); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"-m set --match-set third src -j DROP", "-m set ! --match-set second src -j SET --add-set fourth src --del-set second dst"} {
		if !strings.Contains(text.String(), line+"\n") {
			t.Errorf("there is no %q in\n%s", line, &text)
		}
	}
	if r := ipset.Run("destroy", "third"); r.Exit == 0 {
		t.Error("a set that a rule names was destroyed")
	}
	if err := fw.Apply(t.Context(), inputOf()); err != nil {
		t.Fatal(err)
	}
	// The kernel lets go of the rule's set some time after the rule is gone.
	for end := time.Now().Add(5 * time.Second); ipset.Run("destroy", "third").Exit != 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the set is still in use")
		}
	}
}

// A set that is not there is fs.ErrNotExist, named, before anything has changed,
// and each of them is reported.
func TestIPSetsThatAreNotThere(t *testing.T) {
	_, ipset, fw := ipsetHost(t, "ipsets")
	ipset.Must("create", "here", "hash:ip")
	ipset.Must("create", "six", "hash:ip", "family", "inet6")
	err := fw.Apply(t.Context(), inputOf(
		rule.New(target.Drop, match.InSet("here", nf.Src)),
		rule.New(target.Drop, match.InSet("gone", nf.Src)),
		rule.New(target.SET{Add: nf.InIPSet("here", nf.Src), Del: nf.InIPSet("lost", nf.Src)}),
		rule.New(target.Drop, match.InSet("six", nf.Src)),
	))
	all := backend.Errors(err)
	if len(all) != 3 {
		t.Fatalf("%d errors, want 3: %v", len(all), err)
	}
	for i, want := range []struct {
		rule    int
		ext     string
		is      error
		mention string
	}{
		{2, "set", fs.ErrNotExist, "Set gone doesn't exist"},
		{3, "SET", fs.ErrNotExist, "Set lost doesn't exist"},
		{4, "set", driver.ErrIPSetFamily, "six"},
	} {
		e := all[i]
		if e.Rule != want.rule || e.Extension != want.ext || !errors.Is(e, want.is) || errors.Is(e, backend.ErrUnsupported) ||
			!strings.Contains(e.Error(), want.mention) {
			t.Errorf("error %d: rule %d, extension %q: %v", i+1, e.Rule, e.Extension, e)
		}
	}
	rs, err := fw.Read(t.Context())
	if _, there := rs.Table(table.Filter.IPv4()); err != nil || there {
		t.Errorf("something was programmed all the same: %v", err)
	}
}

// Numbers are never taken for names: bytes that hold one are refused.
func TestIPSetNumbersAreRefused(t *testing.T) {
	_, ipset, fw := ipsetHost(t, "ipsets")
	ipset.Must("create", "here", "hash:ip")
	err := fw.Apply(t.Context(), inputOf(rule.New(target.Drop, match.XT{Ext: "set", Revision: 4, Info: string(make([]byte, 48))})))
	if !errors.Is(err, backend.ErrInexact) {
		t.Errorf("a set by its number: %v", err)
	}
	err = fw.Apply(t.Context(), inputOf(rule.New(target.XT{Ext: "SET", Revision: 3, Info: string(make([]byte, 24))})))
	if !errors.Is(err, backend.ErrInexact) {
		t.Errorf("a set by its number: %v", err)
	}
}
