package match

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

const hashlimitUpto, hashlimitAbove = "--hashlimit-upto", "--hashlimit-above"

func hashlimitRows() []option.Row[Hashlimit] {
	return []option.Row[Hashlimit]{
		hashlimitRate(hashlimitUpto, false, "--hashlimit"), hashlimitRate(hashlimitAbove, true),
		{
			Name: "--hashlimit-burst", Args: 1, Want: "a number, of bytes with k or m behind it",
			Set: func(m *Hashlimit, _ bool, w []string, _ option.Context) (err error) {
				m.Burst, err = parseHashBurst(w[0])
				return err
			},
			Get: func(m *Hashlimit, _ nf.Family) (bool, string, bool) { return false, m.burst(), m.Burst != 0 },
		},
		{
			Name: "--hashlimit-mode", Args: 1, Want: "srcip,srcport,dstip,dstport",
			Set: func(m *Hashlimit, _ bool, w []string, _ option.Context) (err error) {
				m.By, err = parseHashlimitBy(w[0])
				return err
			},
			Get: func(m *Hashlimit, _ nf.Family) (bool, string, bool) { return false, m.By.join(","), m.By != 0 },
		},
		hashlimitName,
		option.Field("--hashlimit-htable-size", func(m *Hashlimit) *uint32 { return &m.Buckets }, option.Number[uint32](0, math.MaxUint32)),
		option.Field("--hashlimit-htable-max", func(m *Hashlimit) *uint32 { return &m.Most }, option.Number[uint32](0, math.MaxUint32)),
		option.Field("--hashlimit-htable-gcinterval", func(m *Hashlimit) *time.Duration { return &m.GCInterval }, wholeTimes(time.Millisecond, math.MaxUint32)),
		option.Field("--hashlimit-htable-expire", func(m *Hashlimit) *time.Duration { return &m.Expire }, wholeTimes(time.Millisecond, math.MaxUint32)),
		plain("--hashlimit-srcmask", func(m *Hashlimit) *Opt[uint8] { return &m.SrcMask }, prefixLength),
		plain("--hashlimit-dstmask", func(m *Hashlimit) *Opt[uint8] { return &m.DstMask }, prefixLength),
		option.Flag("--hashlimit-rate-match", func(m *Hashlimit) *bool { return &m.RateMatch }),
		{
			Name: "--hashlimit-rate-interval", Args: 1, Want: "seconds",
			Set: func(m *Hashlimit, _ bool, w []string, c option.Context) (err error) {
				m.Interval, err = wholeTimes(time.Second, math.MaxInt32).Parse(w[0], c)
				return err
			},
			Get: func(m *Hashlimit, _ nf.Family) (bool, string, bool) {
				return false, fmt.Sprint(uint64(m.Interval / time.Second)), m.RateMatch && m.Interval != time.Second
			},
		},
	}
}

// hashlimitRate is the row of one of the two rates, of which there is one.
func hashlimitRate(name string, above bool, aliases ...string) option.Row[Hashlimit] {
	return option.Row[Hashlimit]{
		Name: name, Aliases: aliases, Args: 1, Invert: true, Want: "packets[/second|/minute|/hour|/day] or bytes: 512kb/s",
		Set: func(m *Hashlimit, not bool, w []string, _ option.Context) error {
			if m.Rate != (Rate{}) {
				return together(hashlimitUpto, hashlimitAbove)
			}
			r, err := parseHashRate(w[0])
			if err != nil {
				return fmt.Errorf("%w: Bad value for %q option: %q", err, name, w[0])
			}
			m.Rate, m.Above = r, above != not
			_, err = r.cost()
			return err
		},
		Get: func(m *Hashlimit, _ nf.Family) (bool, string, bool) { return false, m.Rate.String(), m.Above == above },
	}
}

var hashlimitName = func() option.Row[Hashlimit] {
	row := option.Field("--hashlimit-name", func(m *Hashlimit) *string { return &m.Table }, bare(maxHashName))
	set := row.Set
	row.Set = func(m *Hashlimit, not bool, w []string, c option.Context) error {
		if err := procName(w[0], maxHashName); err != nil {
			return err
		}
		return set(m, not, w, c)
	}
	return row
}()

// wholeTimes is a codec for so many units, 1 to most.
func wholeTimes(unit time.Duration, most uint64) option.Codec[time.Duration] {
	return option.Codec[time.Duration]{
		Want: fmt.Sprintf("a number from 1 to %d", most),
		Parse: func(w string, _ option.Context) (time.Duration, error) {
			n, err := option.Uint(w, 1, most)
			return time.Duration(n) * unit, err
		},
		Print: func(d time.Duration, _ nf.Family) string { return fmt.Sprint(int64(d / unit)) },
	}
}

var errHashRate = errors.New("bad rate")

// byteUnits are the units of bytes, from the largest.
var byteUnits = [...]struct {
	name string
	n    uint64
}{{"m", 1 << 20}, {"k", 1 << 10}, {"", 1}}

// parseHashRate reads "5", "5/min" or "512kb/s". Units may be cut short.
func parseHashRate(w string) (r Rate, err error) {
	number, unit, ranged := strings.Cut(w, "/")
	r.Per = time.Second
	if n, ok := strings.CutSuffix(number, "b"); ok && ranged && unit != "" && strings.HasPrefix("second", unit) {
		r.Bytes = true
		r.N, err = kilobytes(n, math.MaxUint64)
		if err != nil || r.N == 0 {
			return Rate{}, errHashRate
		}
		return r, nil
	}
	if ranged {
		i := 0
		for i < len(limitUnits) && !cutShort(unit, limitUnits[i].long) {
			i++
		}
		if i == len(limitUnits) {
			return Rate{}, errHashRate
		}
		r.Per = limitUnits[i].per
	}
	// atoll reads decimal numbers only.
	if r.N, err = strconv.ParseUint(number, 10, 63); err != nil || r.N == 0 {
		return Rate{}, errHashRate
	}
	return r, nil
}

// cutShort says whether a word begins another, in either case.
func cutShort(w, whole string) bool {
	return w != "" && len(w) <= len(whole) && strings.EqualFold(w, whole[:len(w)])
}

// kilobytes reads a decimal number with k or m behind it, or neither.
func kilobytes(w string, most uint64) (uint64, error) {
	for _, u := range byteUnits {
		digits, ok := strings.CutSuffix(w, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 63)
		if err != nil || n > most/u.n {
			return 0, fmt.Errorf("bad number %q", w)
		}
		return n * u.n, nil
	}
	return 0, nil
}

// parseHashBurst reads a number, which may be octal or hexadecimal, or one of
// bytes, with a b, kb or mb behind it.
func parseHashBurst(w string) (uint64, error) {
	if n, err := option.Uint(w, 1, math.MaxUint64); err == nil {
		if n > maxHashBurst {
			return 0, errHashBurst
		}
		return n, nil
	}
	digits, factor := strings.TrimSuffix(w, "b"), uint64(1)
	for _, u := range byteUnits[:2] {
		if d, ok := strings.CutSuffix(digits, u.name); ok {
			digits, factor = d, u.n
		}
	}
	n, err := option.Uint(digits, 1, math.MaxUint64/factor)
	if err != nil {
		return 0, errHashBurst
	}
	return n * factor, nil
}

// String is "5/sec" or "512kb/s", as iptables prints it: in the largest unit
// that the kernel keeps as the same cost.
func (r Rate) String() string {
	if !r.Bytes {
		for _, u := range limitUnits {
			if u.per == r.Per {
				return fmt.Sprintf("%d/%s", r.N, u.short)
			}
		}
		return fmt.Sprintf("%d/%v", r.N, r.Per)
	}
	cost, err := r.cost()
	for _, u := range byteUnits {
		rounded := Rate{N: r.N &^ (u.n - 1), Per: time.Second, Bytes: true}
		if c, e := rounded.cost(); err == nil && e == nil && r.N >= u.n && c == cost {
			return fmt.Sprintf("%d%sb/s", r.N/u.n, u.name)
		}
	}
	return fmt.Sprintf("%db/s", r.N)
}

// burst is the burst as iptables prints it, but for bytes that would be fewer.
func (m Hashlimit) burst() string {
	if !m.Rate.Bytes {
		return fmt.Sprint(m.Burst)
	}
	cost, err := m.Rate.cost()
	if err != nil {
		return fmt.Sprint(m.Burst)
	}
	for _, u := range byteUnits {
		if m.Burst < u.n {
			continue
		}
		again := m
		again.Burst = m.Burst / u.n * u.n
		if again.checkBurst(cost) == nil && again.Burst == m.Burst {
			return fmt.Sprintf("%d%sb", m.Burst/u.n, u.name)
		}
		break
	}
	return fmt.Sprintf("%db", m.Burst)
}

// hashlimitBys are the parts in the order in which they are printed.
var hashlimitBys = [...]struct {
	name string
	by   HashlimitBy
	bit  uint32
}{
	{"srcip", HashlimitSrcIP, xtables.HashlimitSrcIP}, {"srcport", HashlimitSrcPort, xtables.HashlimitSrcPort},
	{"dstip", HashlimitDstIP, xtables.HashlimitDstIP}, {"dstport", HashlimitDstPort, xtables.HashlimitDstPort},
}

func parseHashlimitBy(w string) (by HashlimitBy, err error) {
	for _, part := range strings.FieldsFunc(w, func(r rune) bool { return r == ',' || r == '|' }) {
		found := HashlimitBy(0)
		for _, b := range hashlimitBys {
			if b.name == part {
				found = b.by
			}
		}
		if found == 0 {
			return 0, fmt.Errorf("Bad value for \"--hashlimit-mode\" option: %q", w)
		}
		by |= found
	}
	return by, nil
}

func (by HashlimitBy) join(sep string) string {
	var names []string
	for _, b := range hashlimitBys {
		if by&b.by != 0 {
			names = append(names, b.name)
		}
	}
	return strings.Join(names, sep)
}

// listHashlimit prints a rate that is matched as that of the whole interval.
func listHashlimit(m Hashlimit, l *option.Lister) string {
	shown := m
	if cost, err := m.Rate.cost(); err == nil && m.RateMatch && !m.Rate.Bytes {
		shown.Rate = rateOf(cost*uint64(m.Interval/time.Second), false)
	}
	s := "limit: up to "
	if m.Above {
		s = "limit: above "
	}
	s += shown.Rate.String()
	if m.Burst != 0 {
		s += " burst " + m.burst()
	}
	add := func(format string, v any, ok bool) {
		if ok {
			s += fmt.Sprintf(format, v)
		}
	}
	expire := m.Expire
	if expire == 0 {
		expire = m.quantum()
	}
	src, _, _ := m.SrcMask.Get()
	dst, _, _ := m.DstMask.Get()
	add(" mode %s", m.By.join("-"), m.By != 0)
	add(" htable-size %d", m.Buckets, m.Buckets != 0)
	add(" htable-max %d", m.Most, m.Most != 0)
	add(" htable-gcinterval %d", m.GCInterval/time.Millisecond, m.GCInterval != 0)
	add(" htable-expire %d", expire/time.Millisecond, expire != shown.quantum())
	add(" srcmask %d", src, m.SrcMask.Given())
	add(" dstmask %d", dst, m.DstMask.Given())
	add(" rate-match%s", "", m.RateMatch)
	add(" rate-interval %d", m.Interval/time.Second, m.RateMatch && m.Interval != time.Second)
	return s
}

func (m Hashlimit) blob(env program.Env) xtables.Hashlimit {
	cost, _ := m.Rate.cost() // checked when the rule was made
	b := xtables.Hashlimit{
		Avg: cost, Burst: m.Burst, Size: m.Buckets, Max: m.Most, GCInterval: 1000,
		Expire: uint32(m.quantum() / time.Millisecond), Interval: uint32(m.Interval / time.Second),
		SrcMask: maxPrefix(familyOf(env)), DstMask: maxPrefix(familyOf(env)),
		Mode: bitIf[uint32](m.Above, xtables.HashlimitInvert) | bitIf[uint32](m.Rate.Bytes, xtables.HashlimitBytes) |
			bitIf[uint32](m.RateMatch, xtables.HashlimitRateMatch),
	}
	copy(b.Name[:], m.Table)
	for _, by := range hashlimitBys {
		b.Mode |= bitIf(m.By&by.by != 0, by.bit)
	}
	if m.Rate.Bytes && cost != 0 {
		b.Burst = m.Burst / bytesAt(cost)
	}
	if m.GCInterval != 0 {
		b.GCInterval = uint32(m.GCInterval / time.Millisecond)
	}
	if m.Expire != 0 {
		b.Expire = uint32(m.Expire / time.Millisecond)
	}
	if n, _, ok := m.SrcMask.Get(); ok {
		b.SrcMask = n
	}
	if n, _, ok := m.DstMask.Get(); ok {
		b.DstMask = n
	}
	return b
}

func readHashlimit(b xtables.Hashlimit, env program.Env) (m Hashlimit, ok bool) {
	bytes := b.Mode&xtables.HashlimitBytes != 0
	if b.Avg == 0 || bytes && b.Avg > math.MaxUint32/2 || b.Avg > 24*3600*hashlimitScale || b.Mode >= xtables.HashlimitRateMatch<<1 {
		return m, false
	}
	m = Hashlimit{
		Table: xtables.String(b.Name[:]), Rate: rateOf(b.Avg, bytes), Above: b.Mode&xtables.HashlimitInvert != 0, Burst: b.Burst,
		SrcMask: Is(b.SrcMask), DstMask: Is(b.DstMask), Buckets: b.Size, Most: b.Max,
		GCInterval: time.Duration(b.GCInterval) * time.Millisecond, Expire: time.Duration(b.Expire) * time.Millisecond,
		RateMatch: b.Mode&xtables.HashlimitRateMatch != 0, Interval: time.Duration(b.Interval) * time.Second,
	}
	for _, by := range hashlimitBys {
		m.By |= bitIf(b.Mode&by.bit != 0, by.by)
	}
	if bytes {
		unit := bytesAt(b.Avg)
		if unit == 0 || b.Burst > math.MaxUint64/unit {
			return m, false
		}
		m.Burst *= unit
	}
	given := b.GCInterval != 0 && b.Expire != 0 && (m.RateMatch == (b.Interval != 0))
	return m, given && m.check(familyOf(env)) == nil
}
