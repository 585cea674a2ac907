package match

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// rateestRows are the options of a Rateest in the order in which they are printed,
// which has the comparison twice where bytes and packets are compared.
func rateestRows() []option.Row[Rateest] {
	bytes := func(m *Rateest) *EstimatedRate { return &m.Bytes }
	packets := func(m *Rateest) *EstimatedRate { return &m.Packets }
	rows := []option.Row[Rateest]{
		option.Flag("--rateest-delta", func(m *Rateest) *bool { return &m.Delta }),
		estimatorRow("--rateest", func(m *Rateest) *string { return &m.Estimator }, func(m *Rateest) bool { return m.Other == "" }),
		estimatorRow("--rateest1", func(m *Rateest) *string { return &m.Estimator }, func(m *Rateest) bool { return m.Other != "" }),
	}
	for _, k := range [...]struct {
		name  string
		rate  func(*Rateest) *EstimatedRate
		codec option.Codec[uint32]
	}{{"--rateest-bps", bytes, bitRate}, {"--rateest-pps", packets, packetRate}} {
		rows = append(rows, rateRow(k.name+"1", k.rate, rateFirst, true, k.codec))
		for _, op := range [...]RateComparison{RateEqual, RateBelow, RateAbove} {
			rows = append(rows, comparisonRow(op, k.rate))
		}
		rows = append(rows, rateRow(k.name+"2", k.rate, rateSecond, true, k.codec), rateRow(k.name, k.rate, rateSecond, false, k.codec))
	}
	return append(rows, estimatorRow("--rateest2", func(m *Rateest) *string { return &m.Other }, func(m *Rateest) bool { return m.Other != "" }))
}

func estimatorRow(name string, field func(*Rateest) *string, printed func(*Rateest) bool) option.Row[Rateest] {
	row := option.Field(name, field, option.Cut(maxEstimator))
	set, get := row.Set, row.Get
	row.Set = func(m *Rateest, not bool, w []string, c option.Context) error {
		if *field(m) != "" {
			return fmt.Errorf("can't specify %s twice", name)
		}
		return set(m, not, w, c)
	}
	row.Get = func(m *Rateest, f nf.Family) (bool, string, bool) {
		not, text, ok := get(m, f)
		return not, text, ok && printed(m)
	}
	return row
}

// comparisonRow is one comparison, printed where a kind of rate is compared. As in
// iptables the last one given holds, but it may be said twice: so it is printed.
func comparisonRow(op RateComparison, rate func(*Rateest) *EstimatedRate) option.Row[Rateest] {
	return option.Row[Rateest]{
		Name: [...]string{"", "--rateest-eq", "--rateest-lt", "--rateest-gt"}[op], Invert: true, Many: true,
		Set: func(m *Rateest, not bool, _ []string, _ option.Context) error {
			if v, was, ok := m.Compare.Get(); ok && v == op && was != not {
				return errors.New("can't specify lt/gt/eq twice")
			}
			m.Compare = isOrNot(not, op)
			return nil
		},
		Get: func(m *Rateest, _ nf.Family) (bool, string, bool) {
			v, not, _ := m.Compare.Get()
			return not, "", v == op && rate(m).given != 0
		},
	}
}

// rateRow is the first or second rate of a kind, with a number or without.
func rateRow(name string, rate func(*Rateest) *EstimatedRate, which uint8, delta bool, codec option.Codec[uint32]) option.Row[Rateest] {
	field := func(m *Rateest) *uint32 {
		if which == rateFirst {
			return &rate(m).first
		}
		return &rate(m).second
	}
	return option.Row[Rateest]{
		Name: name, Optional: true, Want: codec.Want,
		Set: func(m *Rateest, _ bool, w []string, c option.Context) (err error) {
			r := rate(m)
			if r.given&which != 0 {
				return fmt.Errorf("can't specify %s twice", name)
			}
			if r.given |= rateGiven; len(w) > 0 {
				r.given |= which
				*field(m), err = codec.Parse(w[0], c)
			}
			return err
		},
		Get: func(m *Rateest, f nf.Family) (bool, string, bool) {
			r := rate(m)
			switch {
			case r.given == 0 || m.Delta != delta:
				return false, "", false
			case r.given&which == 0:
				return false, "", true
			}
			return false, codec.Print(*field(m), f), true
		},
	}
}

// packetRate is a codec for packets a second.
var packetRate = option.Codec[uint32]{
	Want: "packets a second",
	Parse: func(w string, _ option.Context) (uint32, error) {
		n, err := option.Uint(w, 0, math.MaxUint32)
		if err != nil {
			err = fmt.Errorf("could not parse pps `%s'", w)
		}
		return uint32(n), err
	},
	Print: func(n uint32, _ nf.Family) string { return strconv.FormatUint(uint64(n), 10) },
}

// rateUnits are the units of a rate in bits, in lower case.
var rateUnits = map[string]float64{
	"": 1, "bit": 1, "kibit": 1 << 10, "kbit": 1e3, "mibit": 1 << 20, "mbit": 1e6, "gibit": 1 << 30, "gbit": 1e9, "tibit": 1 << 40, "tbit": 1e12,
	"bps": 8, "kibps": 8 << 10, "kbps": 8e3, "mibps": 8 << 20, "mbps": 8e6, "gibps": 8 << 30, "gbps": 8e9, "tibps": 8 << 40, "tbps": 8e12,
}

// bitRate is a codec for bytes a second, which are given in bits.
var bitRate = option.Codec[uint32]{
	Want: "a rate in bits a second, like 1mbit",
	Parse: func(w string, _ option.Context) (uint32, error) {
		digits := strings.TrimRightFunc(w, func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' })
		n, err := strconv.ParseFloat(digits, 64)
		unit, ok := rateUnits[strings.ToLower(w[len(digits):])]
		if bytes := n * unit / 8; err == nil && ok && bytes >= 0 && bytes < 1<<32 {
			return uint32(bytes), nil
		}
		return 0, fmt.Errorf("could not parse rate `%s'", w)
	},
	Print: func(n uint32, _ nf.Family) string {
		text := roundRate(n)
		digits := strings.TrimRight(text, "Kbit")
		digits = strings.TrimRight(digits, "M")
		if v, err := strconv.ParseFloat(digits, 64); err == nil && uint64(v*rateUnits[strings.ToLower(text[len(digits):])]) == uint64(n)*8 {
			return text
		}
		return fmt.Sprintf("%dbit", uint64(n)*8)
	},
}

// roundRate is bytes a second as iptables prints them.
func roundRate(n uint32) string {
	switch bits := float64(n) * 8; {
	case bits >= 1e9:
		return fmt.Sprintf("%.0fMbit", bits/1e6)
	case bits >= 1e6:
		return fmt.Sprintf("%.0fKbit", bits/1e3)
	default:
		return fmt.Sprintf("%.0fbit", bits)
	}
}
