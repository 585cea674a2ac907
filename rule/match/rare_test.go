package match_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// Literals and constructors say what their options say.
func TestRarerMatchesAsValues(t *testing.T) {
	tunnel := match.Is(netip.MustParsePrefix("10.0.0.0/8"))
	for want, m := range map[string]match.Match{
		"-m set --match-set bans src":       match.InSet("bans", nf.Src),
		"-m set ! --match-set seen src,dst": match.NotInSet("seen", nf.Src, nf.Dst),
		"-m set --match-set bans src ! --packets-eq 0 --bytes-gt 5": match.Set{
			Set: match.Is(nf.InIPSet("bans", nf.Src)), Packets: match.CountNot(0), Bytes: match.CountAbove(5)},
		"-m set --match-set bans src --packets-lt 1 --bytes-eq 0": match.Set{
			Set: match.Is(nf.InIPSet("bans", nf.Src)), Packets: match.CountBelow(1), Bytes: match.CountIs(0)},
		"-m socket":                         match.Socket{},
		"-m physdev ! --physdev-is-bridged": match.Physdev{IsBridged: match.Is(false)},
		"-m ipvs ! --ipvs":                  match.IPVS{IPVS: match.Is(false)},
		"-m rateest --rateest in --rateest-gt --rateest-bps 1000Kbit": match.Rateest{
			Estimator: "in", Compare: match.Is(match.RateAbove), Bytes: match.RateOf(125000)},
		"-m rateest --rateest1 in ! --rateest-eq --rateest-pps --rateest2 out": match.Rateest{
			Estimator: "in", Other: "out", Compare: match.Not(match.RateEqual), Packets: match.OwnRates()},
		"-m rateest --rateest-delta --rateest in --rateest-pps1 5 --rateest-lt --rateest-pps2 6": match.Rateest{
			Estimator: "in", Delta: true, Compare: match.Is(match.RateBelow), Packets: match.RatesOf(5, 6)},
		"-m policy --dir in --pol ipsec --strict --reqid 1 --next --mode tunnel --tunnel-dst 10.0.0.0/8": match.Policy{
			Dir: match.PolicyIn, Strict: true,
			Elements: [4]match.PolicyElement{{ReqID: match.Is[uint32](1)}, {Mode: match.Is(match.Tunnel), Dest: tunnel}}},
	} {
		r := rule.New(target.None, m)
		if r.Err() != nil || r.String() != want {
			t.Errorf("%+v is %q, %v, want %q", m, r, r.Err(), want)
		}
	}
}

// What was forgotten or cannot be is an error of the rule, and says which.
func TestRarerMatchesThatCannotBe(t *testing.T) {
	element := match.PolicyElement{ReqID: match.Is[uint32](1)}
	for want, m := range map[string]match.Match{
		"--match-set":         match.Set{},
		"directions":          match.InSet("bans"),
		"--helper":            match.Helper{},
		"too long":            match.Helper{Helper: match.Is(strings.Repeat("x", 30))},
		"--nfacct-name":       match.NFAcct(""),
		"one line":            match.NFAcct("a\nb"),
		"--genre":             match.OSF{},
		"0-2":                 match.OSF{Genre: match.Is("Linux"), TTL: match.Is[uint8](3)},
		"no physdev option":   match.Physdev{},
		"interface name":      match.Physdev{In: match.Is("a b")},
		"at least one":        match.IPVS{},
		"direction or method": match.IPVS{Method: match.Is[match.IPVSMethod](1)},
		"no address":          match.IPVS{Addr: match.Is(netip.Prefix{})},
		"--dir in":            match.Policy{},
		"element 1":           match.Policy{Dir: match.PolicyIn, Strict: true, Elements: [4]match.PolicyElement{0: element, 2: element}},
		"--strict":            match.Policy{Dir: match.PolicyIn, Elements: [4]match.PolicyElement{element, element}},
		"--rateest must":      match.Rateest{},
		"--rateest-lt":        match.Rateest{Estimator: "in", Bytes: match.RateOf(1)},
		"--rateest-bps or":    match.Rateest{Estimator: "in", Compare: match.Is(match.RateBelow)},
		"one rate must":       match.Rateest{Estimator: "in", Compare: match.Is(match.RateBelow), Bytes: match.OwnRates()},
		"two rates":           match.Rateest{Estimator: "in", Compare: match.Is(match.RateBelow), Delta: true, Bytes: match.RateOf(1)},
	} {
		if err := rule.New(target.None, m, match.Proto(nf.TCP)).Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", m, err, want)
		}
	}
}
