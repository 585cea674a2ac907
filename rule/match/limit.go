package match

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Limit is -m limit: on average Rate packets each Per, after a burst. All packets
// that reach the match share one account.
//
//	--limit rate[/second|/minute|/hour|/day]  --limit-burst number
//
// It is native. xt_limit counts in ten-thousandths of a second between two
// packets, so iptables rounds a rate to what those make and saves that: 3000/sec
// is 3333/sec, 60/min is 1/sec. The normal form here is the same, and what the
// program says is exactly what is printed. Slow rates whose burst overflows
// xt_limit's 32-bit account are fine here: 1/day with a burst of 5 it refuses, and
// with a burst of 3 it lets one packet pass (measured at 250 ticks a second). It
// mirrors net/netfilter/xt_limit.c and nft_limit.c.
type Limit struct {
	Rate  uint32        // --limit: packets; zero is an error
	Per   time.Duration // a second, a minute, an hour or a day; any other is an error
	Burst uint32        // --limit-burst: 1 to 10,000 packets; zero: 5, as iptables
}

// Name is "limit".
func (Limit) Name() string { return limit.Name }

func (Limit) ext() option.Extension { return limit }

const (
	limitScale   = 10000 // XT_LIMIT_SCALE: a second in the units of xt_limit
	defaultBurst = 5
	maxBurst     = 10000
)

// limitUnits are the units, as they are printed, from the longest.
var limitUnits = [...]struct {
	short, long string
	per         time.Duration
}{
	{"day", "day", 24 * time.Hour},
	{"hour", "hour", time.Hour},
	{"min", "minute", time.Minute},
	{"sec", "second", time.Second},
}

var limit = &option.Spec[Limit]{
	Name: "limit",
	Rows: []option.Row[Limit]{
		{
			Name: "--limit", Args: 1, Want: "rate[/second|/minute|/hour|/day]",
			Set: func(m *Limit, _ bool, w []string, _ option.Context) (err error) {
				m.Rate, m.Per, err = parseRate(w[0])
				return err
			},
			Get: func(m *Limit, _ nf.Family) (bool, string, bool) { return false, m.rate(), true },
		},
		{
			Name: "--limit-burst", Args: 1, Want: "a number from 1 to 10000",
			Set: func(m *Limit, _ bool, w []string, _ option.Context) error {
				n, err := option.Uint(w[0], 1, maxBurst)
				m.Burst = uint32(n)
				return err
			},
			Get: func(m *Limit, _ nf.Family) (bool, string, bool) {
				return false, fmt.Sprint(m.Burst), m.Burst != defaultBurst
			},
		},
	},
	Default: func(option.Context) Limit { return Limit{Rate: 3, Per: time.Hour} },
	Check:   func(m *Limit, _ option.Context) error { return m.normalise() },
	List: func(m Limit, _ *option.Lister) string {
		return fmt.Sprintf("limit: avg %s burst %d", m.rate(), m.Burst)
	},
	Read: func(r *program.Reader) (m Limit, ok bool) {
		e, ok := r.Item(0).(program.Limit)
		if !ok || e.Bytes || e.Over || e.Rate > limitScale*24*3600 || e.Unit > 24*3600 {
			return m, false
		}
		m = Limit{uint32(e.Rate), time.Duration(e.Unit) * time.Second, e.Burst}
		if n := m; e.Burst == 0 || n.normalise() != nil || n != m {
			return m, false
		}
		r.Take(1)
		return m, true
	},
}

// parseRate reads "3", "3/s" or "3/second". Units may be cut short and are
// second where there is none.
func parseRate(w string) (rate uint32, per time.Duration, err error) {
	number, unit, ok := strings.Cut(w, "/")
	per = time.Second
	if ok {
		per = 0
		for _, u := range limitUnits {
			if unit != "" && len(unit) <= len(u.long) && strings.EqualFold(u.long[:len(unit)], unit) {
				per = u.per
			}
		}
	}
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil || n == 0 || per == 0 {
		return 0, 0, fmt.Errorf("bad rate \"%s\"", w)
	}
	return uint32(n), per, nil
}

// normalise rounds the rate to what xt_limit can count, and gives it in the
// shortest unit that says it as well as the longer ones do: iptables' choice.
func (m *Limit) normalise() error {
	if m.Burst == 0 {
		m.Burst = defaultBurst
	}
	known := false
	for _, u := range limitUnits {
		known = known || m.Per == u.per
	}
	switch {
	case m.Rate == 0:
		return errors.New("--limit: no rate")
	case !known:
		return fmt.Errorf("--limit: per %v, must be per second, minute, hour or day", m.Per)
	case m.Burst > maxBurst:
		return fmt.Errorf("--limit-burst: %d, must be 1 to %d", m.Burst, maxBurst)
	}
	gap := units(m.Per) / m.Rate
	if gap == 0 {
		return fmt.Errorf("Rate too fast \"%d/%v\"", m.Rate, m.Per)
	}
	for i, u := range limitUnits {
		n := units(u.per)
		if i > 0 && (gap > n || n/gap < n%gap) {
			break
		}
		m.Rate, m.Per = n/gap, u.per
	}
	return nil
}

// units is a time in ten-thousandths of a second; a day fits.
func units(d time.Duration) uint32 { return uint32(d/time.Second) * limitScale }

// rate is "5/min".
func (m Limit) rate() string {
	for _, u := range limitUnits {
		if u.per == m.Per {
			return fmt.Sprintf("%d/%s", m.Rate, u.short)
		}
	}
	return fmt.Sprintf("%d/%v", m.Rate, m.Per)
}

// Compile adds nf_tables' own limit.
func (m Limit) Compile(c *program.Code) error {
	c.Add(program.Limit{Rate: uint64(m.Rate), Unit: uint64(m.Per / time.Second), Burst: m.Burst})
	return nil
}
