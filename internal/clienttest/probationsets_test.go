package clienttest

import (
	"errors"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/table"
	"github.com/gatehouse-fw/gatehouse/table/set"
)

// guests is a set that one of two rulesets has.
var guests = set.Set{Name: "guests", Key: set.Nets}

func withGuests() table.Table {
	return banRules().WithSet(guests, prefix("203.0.113.0/24")).
		WithChain(chain.New("BANNED", rule.Return(guests.Contains(match.SrcAddr)), rule.Drop()))
}

func withoutGuests() table.Table { return banRules() }

func listed(t table.Table) table.Table {
	return t.WithSet(trusted, prefix("192.0.2.0/24")).WithKept(bans)
}

// A set that comes with the new rules, or goes with the old ones, is there for as long
// as rules look it up, and no longer.
func TestProbationOfSets(t *testing.T) {
	with, without := table.NewRuleset(listed(withGuests())), table.NewRuleset(listed(withoutGuests()))
	another := table.NewRuleset(banRules().WithSet(trusted, prefix("192.0.2.0/24")).WithKept(longer()))
	for name, x := range map[string]struct{ was, is table.Ruleset }{
		"comes": {without, with}, "goes": {with, without}, "becomes another": {without, another},
	} {
		for _, confirmed := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				everywhere(t, func(t *testing.T, w world) {
					fw := w.client(t)
					w.apply(t, fw, x.was)
					editSet(t, fw, bans, func(s *backend.SetEdit) { s.Add(prefix("198.51.100.7/32")) })
					p, err := fw.Try(t.Context(), x.is, time.Minute)
					if err != nil {
						t.Fatal(err)
					}
					end, final := p.Revert, x.was
					if confirmed {
						end, final = p.Confirm, x.is
					}
					if err := end(t.Context()); err != nil {
						t.Fatal(err)
					}
					plan, err := fw.Plan(t.Context(), final)
					if err != nil || !plan.Empty() {
						t.Errorf("left to do: %v, %v", plan, err)
					}
					now, _ := read(t, fw).Table(table.Filter)
					want, _ := final.Table(table.Filter)
					is, _, _ := now.Set(bans.Name)
					if was, _, _ := want.Set(bans.Name); is != was {
						t.Errorf("the set is %+v, want %+v", is, was)
					}
					if got := elements(t, fw, table.Filter, is); got != "198.51.100.7" {
						t.Errorf("bans are %q", got)
					}
					_, _, there := now.Set(guests.Name)
					if _, _, ok := want.Set(guests.Name); there != ok {
						t.Errorf("the set guests is there: %t", there)
					}
				})
			})
		}
	}
}

// longer is bans with another timeout.
func longer() set.Set {
	s := bans
	s.Timeout = time.Hour
	return s
}

// A set whose declared elements change cannot be on probation, and nothing of it is
// changed.
func TestProbationRefusesElements(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		fw := w.client(t)
		was := table.NewRuleset(listed(banRules()))
		w.apply(t, fw, was)
		is := banRules().WithSet(trusted, prefix("192.0.2.0/24"), prefix("203.0.113.0/24")).WithKept(bans)
		if _, err := fw.Try(t.Context(), table.NewRuleset(is), time.Minute); !errors.Is(err, backend.ErrInvalid) {
			t.Error(err)
		}
		w.holds(t, fw, was)
	})
}
