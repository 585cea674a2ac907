package match

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Hashlimit is -m hashlimit: a limit for each address or port, or pair of them, by
// itself. /proc/net/ipt_hashlimit shows the accounts. Rules that name the same
// Table share it, and it stays as the first of them made it.
//
//	[!] --hashlimit-upto rate (--hashlimit) | [!] --hashlimit-above rate
//	--hashlimit-burst n  --hashlimit-mode srcip,srcport,dstip,dstport
//	--hashlimit-srcmask prefix  --hashlimit-dstmask prefix  --hashlimit-name table
//	--hashlimit-htable-size n  --hashlimit-htable-max n
//	--hashlimit-htable-gcinterval ms  --hashlimit-htable-expire ms
//	--hashlimit-rate-match  --hashlimit-rate-interval s
//
// A rate is packets[/second|/minute|/hour|/day], or bytes: 512kb/s.
//
// It is the kernel's own xt match, which ip and ip6 tables have and inet tables have
// not; a meter of nf_tables forgets otherwise and has no rate-match. The kernel keeps
// what a packet costs, in millionths of a second, so that a rate is rounded to
// what that makes, and printed so: 3000/sec is 3003/sec; of bytes it keeps what 16
// of them cost. iptables saves a burst of bytes in whole kilobytes or megabytes,
// which may be fewer; here it is printed in bytes where it would be. Rates of
// less than 16 bytes, which iptables saves as 0b/s, are errors. It mirrors
// net/netfilter/xt_hashlimit.c.
type Hashlimit struct {
	Table string      // --hashlimit-name, 1 to 254 bytes; "" is an error
	Rate  Rate        // the most, or with Above the least; the zero Rate is an error
	Above bool        // --hashlimit-above; false: --hashlimit-upto
	Burst uint64      // --hashlimit-burst: packets, 1 to 1,000,000, or bytes; 0: 5 packets, no bytes
	By    HashlimitBy // --hashlimit-mode; 0: one account for all

	SrcMask, DstMask Opt[uint8] // --hashlimit-srcmask, -dstmask: a prefix's length; absent: the whole address

	Buckets    uint32        // --hashlimit-htable-size, 1,048,576 at most; 0: the kernel chooses
	Most       uint32        // --hashlimit-htable-max: accounts; 0: eight a bucket
	GCInterval time.Duration // --hashlimit-htable-gcinterval, whole milliseconds; 0: a second
	Expire     time.Duration // --hashlimit-htable-expire, whole milliseconds; 0: the unit of Rate (bytes: 15 s, with a burst 60 s)

	// RateMatch compares the rate of the last Interval instead of limiting it, and
	// takes nothing off the account.
	RateMatch bool
	Interval  time.Duration // --hashlimit-rate-interval, whole seconds; 0: the unit of Rate
}

// Rate is so many packets each Per: a second, a minute, an hour or a day. Or, with
// Bytes, so many bytes a second.
type Rate struct {
	N     uint64
	Per   time.Duration // 0: a second
	Bytes bool
}

// HashlimitBy is what has an account of its own: HashlimitSrcIP|HashlimitDstPort.
type HashlimitBy uint8

// The parts of an account's name.
const (
	HashlimitSrcIP HashlimitBy = 1 << iota
	HashlimitSrcPort
	HashlimitDstIP
	HashlimitDstPort
)

const (
	hashlimitScale   = 1_000_000 // XT_HASHLIMIT_SCALE_v2: a second
	maxHashBurst     = 1_000_000
	maxHashName      = 254
	maxBuckets       = 1 << 20
	bytesExpire      = 15 * time.Second
	bytesBurstExpire = time.Minute
)

// Name is "hashlimit".
func (Hashlimit) Name() string { return hashlimit.Name }

func (Hashlimit) ext() option.Extension { return hashlimit }

var hashlimit = &option.Spec[Hashlimit]{
	Name:  "hashlimit",
	Rows:  hashlimitRows(),
	Check: func(m *Hashlimit, c option.Context) error { return m.check(c.Family) },
	Needs: func(m Hashlimit) option.Needs {
		src, _, _ := m.SrcMask.Get()
		dst, _, _ := m.DstMask.Get()
		if max(src, dst) > 32 {
			return option.Needs{Family: nf.IPv6}
		}
		return option.Needs{}
	},
	List: listHashlimit,
	XT:   option.XTStruct(option.XT[Hashlimit]{}, 3, Hashlimit.blob, readHashlimit),
}

// check brings a rate to what the kernel's cost makes of it, and leaves out what
// iptables has by itself.
func (m *Hashlimit) check(f nf.Family) error {
	switch {
	case m.Rate == Rate{}:
		return errors.New("You have to specify --hashlimit")
	case m.Table == "":
		return errors.New(`option "--hashlimit-name" must be specified`)
	case m.By > 15:
		return fmt.Errorf("bad mode %#x", uint8(m.By))
	case m.GCInterval%time.Millisecond != 0 || m.Expire%time.Millisecond != 0 || m.Interval%time.Second != 0:
		return errors.New("times are whole milliseconds, --hashlimit-rate-interval's whole seconds")
	case m.GCInterval < 0 || m.Expire < 0 || m.Interval < 0:
		return errors.New("times cannot be negative")
	case m.GCInterval > math.MaxUint32*time.Millisecond || m.Expire > math.MaxUint32*time.Millisecond || m.Interval > math.MaxInt32*time.Second:
		return errors.New("time out of range")
	case m.Interval != 0 && !m.RateMatch:
		m.Interval = 0 // as iptables prints it
	}
	if err := procName(m.Table, maxHashName); err != nil {
		return err
	}
	m.Buckets, m.Most = min(m.Buckets, maxBuckets), min(m.Most, maxBuckets) // as the kernel has it
	for _, mask := range [...]*Opt[uint8]{&m.SrcMask, &m.DstMask} {
		switch n, _, ok := mask.Get(); {
		case ok && n > maxPrefix(f):
			return fmt.Errorf("a prefix of %d bits, %d at most", n, maxPrefix(f))
		case n == maxPrefix(f) && f != nf.Both:
			*mask = Opt[uint8]{}
		}
	}
	if m.GCInterval == time.Second {
		m.GCInterval = 0
	}
	return m.checkRate()
}

// checkRate normalises the rate and what depends on it.
func (m *Hashlimit) checkRate() error {
	if m.Rate.Per == 0 {
		m.Rate.Per = time.Second
	}
	unit := m.Rate.Per
	cost, err := m.Rate.cost()
	if err != nil {
		return err
	}
	if err := m.checkBurst(cost); err != nil {
		return err
	}
	if m.Expire == 0 {
		m.Expire = m.quantum()
	}
	if m.RateMatch {
		if m.Interval == 0 {
			m.Interval = unit
		}
		if !m.Rate.Bytes {
			if cost /= uint64(unit / time.Second); cost == 0 {
				return fmt.Errorf("Rate too fast \"%d\"", m.Rate.N)
			}
		}
	}
	if m.Rate = rateOf(cost, m.Rate.Bytes); m.Expire == m.quantum() {
		m.Expire = 0
	}
	return nil
}

// quantum is how long an account lives where nobody says so.
func (m Hashlimit) quantum() time.Duration {
	switch {
	case !m.Rate.Bytes:
		return m.Rate.Per
	case m.Burst == 0:
		return bytesExpire
	}
	return bytesBurstExpire
}

// checkBurst makes a burst of bytes as many as the kernel's units make.
func (m *Hashlimit) checkBurst(cost uint64) error {
	if !m.Rate.Bytes {
		if m.Burst == 0 {
			m.Burst = defaultBurst
		}
		if m.Burst > maxHashBurst {
			return errHashBurst
		}
		return nil
	}
	unit := bytesAt(cost)
	if m.Burst != 0 && m.Burst < unit {
		return fmt.Errorf("burst cannot be smaller than %db", unit)
	}
	n := m.Burst / unit
	if m.Burst%unit != 0 {
		n++
	}
	if n > math.MaxUint64/unit {
		return errHashBurst
	}
	m.Burst = n * unit
	return nil
}

var errHashBurst = fmt.Errorf("bad value for option \"--hashlimit-burst\", or out of range (1-%d)", maxHashBurst)

// cost is what a packet, or 16 bytes, take off the account.
func (r Rate) cost() (uint64, error) {
	seconds := uint64(r.Per / time.Second)
	switch r.Per {
	case time.Second, time.Minute, time.Hour, 24 * time.Hour:
	default:
		return 0, fmt.Errorf("no rate is for each %v", r.Per)
	}
	switch {
	case r.Bytes && r.Per != time.Second:
		return 0, errors.New("a rate of bytes is for each second")
	case r.Bytes && r.N>>4 >= math.MaxUint32:
		return 0, fmt.Errorf("Rate too high \"%db/s\"", r.N)
	case r.Bytes && r.N < 16:
		return 0, fmt.Errorf("a rate of %d bytes a second, which is less than 16", r.N)
	case r.Bytes:
		return math.MaxUint32 / (r.N>>4 + 1), nil
	case r.N == 0:
		return 0, errors.New("a rate of no packets")
	case r.N > hashlimitScale*seconds:
		return 0, fmt.Errorf("Rate too fast \"%d\"", r.N)
	}
	return hashlimitScale * seconds / r.N, nil
}

// bytesAt is the bytes a second that a cost allows.
func bytesAt(cost uint64) uint64 { return (math.MaxUint32/cost - 1) << 4 }

// rateOf is the rate that iptables prints for a cost.
func rateOf(cost uint64, bytes bool) Rate {
	if bytes {
		return Rate{N: bytesAt(cost), Per: time.Second, Bytes: true}
	}
	i := 1
	for ; i < len(limitUnits); i++ {
		unit := hashlimitScale * uint64(limitUnits[i].per/time.Second)
		if cost > unit || unit/cost < unit%cost {
			break
		}
	}
	per := limitUnits[i-1].per
	return Rate{N: hashlimitScale * uint64(per/time.Second) / cost, Per: per}
}

// Compile is the kernel's own match.
func (m Hashlimit) Compile(c *program.Code) error { return hashlimit.Kernel(c, m) }
