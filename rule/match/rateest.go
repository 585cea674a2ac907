package match

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
)

// Rateest is -m rateest: it compares what an estimator of target.RATEEST has found
// with another's, or with numbers. Estimator, Compare, and Bytes or Packets must be
// given; where both are, both must compare so. An estimator that is not there is
// refused when the rule is programmed.
//
//	--rateest[1] name  [--rateest2 name]  [--rateest-delta]
//	[!] --rateest-lt | [!] --rateest-gt | [!] --rateest-eq
//	--rateest-bps [rate]  --rateest-pps [packets]  (--rateest-bps1, -bps2, -pps1, -pps2)
//
// A rate is in bits a second, or in another unit: 8kbit, 1mbit, 1000bps are a
// thousand bytes, a million bits, a thousand bytes a second. It is the kernel's own
// xt match, which ip and ip6 tables have and inet tables have not. It mirrors
// net/netfilter/xt_rateest.c. Numbers that are missing, which iptables takes for 0,
// or that are not looked at, are refused; iptables-save prints large rates in
// thousands or millions of bits, and we to the bit where that is not the same.
type Rateest struct {
	Estimator string              // --rateest, --rateest1: 1 to 15 bytes
	Other     string              // --rateest2: the estimator to compare with; "": numbers
	Compare   Opt[RateComparison] // --rateest-lt, --rateest-gt, --rateest-eq
	Delta     bool                // --rateest-delta: how far the estimators are below two numbers is compared
	Bytes     EstimatedRate       // --rateest-bps: bytes a second; zero: not compared
	Packets   EstimatedRate       // --rateest-pps: packets a second; zero: not compared
}

// RateComparison is how two rates compare, by the kernel's numbers.
type RateComparison uint8

// The comparisons of a Rateest.
const (
	RateEqual RateComparison = iota + 1 // --rateest-eq
	RateBelow                           // --rateest-lt
	RateAbove                           // --rateest-gt
)

// EstimatedRate is what a Rateest compares: made by OwnRates, RateOf or RatesOf.
type EstimatedRate struct {
	given         uint8 // rateGiven and what goes with it
	first, second uint32
}

const (
	rateGiven = 1 << iota
	rateFirst
	rateSecond
)

// OwnRates compares the two estimators' rates.
func OwnRates() EstimatedRate { return EstimatedRate{given: rateGiven} }

// RateOf compares the estimator's rate with n a second.
func RateOf(n uint32) EstimatedRate { return EstimatedRate{given: rateGiven | rateSecond, second: n} }

// RatesOf compares, with Delta, how far the first rate is below first with how far
// the other's is, or none at all, below second.
func RatesOf(first, second uint32) EstimatedRate {
	return EstimatedRate{given: rateGiven | rateFirst | rateSecond, first: first, second: second}
}

// maxEstimator is IFNAMSIZ less the end of the string.
const maxEstimator = 15

// Name is "rateest".
func (Rateest) Name() string { return rateest.Name }

func (Rateest) ext() option.Extension { return rateest }

var rateest = &option.Spec[Rateest]{
	Name:  "rateest",
	Rows:  rateestRows(),
	Check: checkRateest,
	List:  listRateest,
	XT:    option.XTStruct(option.XT[Rateest]{Inet: true}, 0, Rateest.blob, readRateestBlob),
}

func checkRateest(m *Rateest, _ option.Context) error {
	op, _, ok := m.Compare.Get()
	switch {
	case m.Estimator == "":
		return errors.New("--rateest must be specified")
	case option.CheckText(m.Estimator, maxEstimator) != nil, m.Other != "" && option.CheckText(m.Other, maxEstimator) != nil:
		return fmt.Errorf("the name of an estimator has 1 to %d bytes", maxEstimator)
	case !ok || op < RateEqual || op > RateAbove:
		return errors.New("one of --rateest-lt, --rateest-gt and --rateest-eq must be specified")
	case m.Bytes.given == 0 && m.Packets.given == 0:
		return errors.New("--rateest-bps or --rateest-pps must be specified")
	}
	for _, r := range [...]*EstimatedRate{&m.Bytes, &m.Packets} {
		switch {
		case r.given == 0:
		case m.Delta && r.given != rateGiven|rateFirst|rateSecond:
			return errors.New("--rateest-delta needs two rates, --rateest-bps1 and --rateest-bps2, or the same of pps")
		case m.Delta:
		case m.Other != "":
			*r = OwnRates()
		case r.given != rateGiven|rateSecond:
			return errors.New("one rate must be specified, or --rateest2")
		}
	}
	return nil
}

// listRateest prints rates in bytes where numbers are wanted.
func listRateest(m Rateest, l *option.Lister) string {
	rate := func(n uint32) string {
		if l.Numeric() {
			return fmt.Sprint(n)
		}
		return roundRate(n)
	}
	op, not, _ := m.Compare.Get()
	mode := " " + blank(not) + [...]string{"", "eq", "lt", "gt"}[op&3]
	s := "rateest match " + m.Estimator
	if m.Delta {
		s += " delta"
	}
	// part is a kind of rate as it stands on one side.
	part := func(name string, given bool, n ...string) string {
		if !given {
			return ""
		}
		if !m.Delta {
			n = nil
		}
		return strings.Join(append([]string{" " + name}, n...), " ")
	}
	b, p := m.Bytes, m.Packets
	if m.Other != "" {
		s += part("bps", b.given != 0, rate(b.first)) + part("pps", p.given != 0, fmt.Sprint(p.first)) + mode + " " + m.Other
		return s + part("bps", b.given != 0, rate(b.second)) + part("pps", p.given != 0, fmt.Sprint(p.second))
	}
	if b.given != 0 {
		s += part("bps", true, rate(b.first)) + " " + rate(b.second) + mode
	}
	if p.given != 0 {
		s += part("pps", true, fmt.Sprint(p.first)) + mode + " " + fmt.Sprint(p.second)
	}
	return s
}

// Compile adds the kernel's match.
func (m Rateest) Compile(c *program.Code) error { return rateest.Kernel(c, m) }

func (m Rateest) blob(program.Env) (b xtables.RateEst) {
	copy(b.Name1[:maxEstimator], m.Estimator)
	copy(b.Name2[:maxEstimator], m.Other)
	op, not, _ := m.Compare.Get()
	b.Mode, b.Flags = uint16(op), xtables.RateEstAbsolute
	if m.Other != "" {
		b.Flags = xtables.RateEstRelative
	}
	for _, f := range [...]struct {
		on  bool
		bit uint16
	}{
		{not, xtables.RateEstInvert}, {m.Delta, xtables.RateEstDelta},
		{m.Bytes.given != 0, xtables.RateEstBPS}, {m.Packets.given != 0, xtables.RateEstPPS},
	} {
		if f.on {
			b.Flags |= f.bit
		}
	}
	b.BPS1, b.BPS2, b.PPS1, b.PPS2 = m.Bytes.first, m.Bytes.second, m.Packets.first, m.Packets.second
	return b
}

func readRateestBlob(b xtables.RateEst, env program.Env) (m Rateest, ok bool) {
	m.Estimator, m.Other = xtables.String(b.Name1[:]), xtables.String(b.Name2[:])
	m.Compare = isOrNot(b.Flags&xtables.RateEstInvert != 0, RateComparison(b.Mode))
	m.Delta = b.Flags&xtables.RateEstDelta != 0
	read := func(bit uint16, first, second uint32) EstimatedRate {
		switch {
		case b.Flags&bit == 0:
			return EstimatedRate{}
		case m.Delta:
			return RatesOf(first, second)
		case m.Other != "":
			return OwnRates()
		}
		return RateOf(second)
	}
	m.Bytes, m.Packets = read(xtables.RateEstBPS, b.BPS1, b.BPS2), read(xtables.RateEstPPS, b.PPS1, b.PPS2)
	return m, b.Mode < 256 && m.blob(env) == b
}
