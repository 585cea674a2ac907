package target

import (
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

// RATEEST is -j RATEEST: it counts packets and bytes into an estimator of their
// rate, which match.Rateest looks at, and goes on with the next rule. Rules with
// the same name share an estimator; they must agree on its times. The zero value
// is an error.
//
//	--rateest-name name  --rateest-interval time  --rateest-ewmalog time
//
// Times are given as 250ms, 0.5s or, without a unit, in microseconds. It is the
// kernel's own xt target, which ip and ip6 tables have and inet tables have not.
// The kernel keeps powers of two: Interval becomes the next of 250 ms to 8 s, and
// Average Interval times a power of two. It mirrors net/netfilter/xt_RATEEST.c. A
// longer name, which iptables cuts off, is an error in a literal.
type RATEEST struct {
	Estimator string        // --rateest-name: 1 to 15 bytes
	Interval  time.Duration // --rateest-interval: how often it is looked, at most 8 s
	Average   time.Duration // --rateest-ewmalog: the time constant of the average, more than 1.4 intervals
}

// maxEstimator is IFNAMSIZ less the end of the string.
const maxEstimator = 15

// The intervals of estimators.
const (
	shortestInterval = 250 * time.Millisecond
	intervals        = 6
	longestAverage   = (1<<32 - 1) * time.Microsecond // what iptables can say
)

// Name is "RATEEST".
func (RATEEST) Name() string { return rateest.Name }

func (RATEEST) ext() option.Extension { return rateest }

var rateest = &option.Spec[RATEEST]{
	Name: "RATEEST",
	Rows: []option.Row[RATEEST]{
		option.Field("--rateest-name", func(t *RATEEST) *string { return &t.Estimator }, option.Cut(maxEstimator)),
		option.Field("--rateest-interval", func(t *RATEEST) *time.Duration { return &t.Interval }, estimatorTime("interval")),
		option.Field("--rateest-ewmalog", func(t *RATEEST) *time.Duration { return &t.Average }, estimatorTime("ewmalog")),
	},
	Check: checkRATEEST,
	List: func(t RATEEST, _ *option.Lister) string {
		return fmt.Sprintf("name %s interval %s ewmalog %s", t.Estimator, printEstimatorTime(t.Interval), printEstimatorTime(t.Average))
	},
	XT: option.XTStruct(option.XT[RATEEST]{Target: true}, 0, RATEEST.blob, readRATEESTBlob),
}

func checkRATEEST(t *RATEEST, _ option.Context) error {
	switch err := option.CheckText(t.Estimator, maxEstimator); {
	case t.Estimator == "":
		return must("--rateest-name", false)
	case err != nil:
		return fmt.Errorf("--rateest-name %w", err)
	case t.Interval <= 0:
		return must("--rateest-interval", false)
	case t.Average <= 0:
		return must("--rateest-ewmalog", false)
	case t.Interval > shortestInterval<<(intervals-1):
		return fmt.Errorf("interval value is too large")
	}
	log := averageLog(t.Interval, t.Average)
	interval := shortestInterval
	for interval < t.Interval {
		interval *= 2
	}
	if log < 1 || log > 30 || interval > longestAverage>>log {
		return fmt.Errorf("ewmalog value is out of range")
	}
	t.Interval, t.Average = interval, interval<<log
	return nil
}

// averageLog is the weight of the average as a power of two, as iptables and tc
// find it: the largest whose time constant is not above the one wanted.
func averageLog(interval, average time.Duration) int {
	for log := 1; ; log++ {
		w := 1 - 1/float64(uint64(1)<<log)
		if log == 32 || float64(interval)/-math.Log(w) > float64(average) {
			return log - 1
		}
	}
}

// estimatorUnits are the units of a time, in microseconds.
var estimatorUnits = map[string]float64{
	"": 1, "us": 1, "usec": 1, "usecs": 1, "ms": 1e3, "msec": 1e3, "msecs": 1e3, "s": 1e6, "sec": 1e6, "secs": 1e6,
}

// estimatorTime is a codec for a time.
func estimatorTime(what string) option.Codec[time.Duration] {
	return option.Codec[time.Duration]{
		Want: "a time, like 250ms or 0.5s",
		Parse: func(w string, _ option.Context) (time.Duration, error) {
			digits := strings.TrimRightFunc(w, func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' })
			n, err := strconv.ParseFloat(digits, 64)
			unit, ok := estimatorUnits[strings.ToLower(w[len(digits):])]
			if us := n * unit; err == nil && ok && us >= 1 && us < 1<<32 {
				return time.Duration(us) * time.Microsecond, nil
			}
			return 0, fmt.Errorf("bad %s value %q", what, w)
		},
		Print: func(d time.Duration, _ nf.Family) string { return printEstimatorTime(d) },
	}
}

func printEstimatorTime(d time.Duration) string {
	if d >= time.Second {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return fmt.Sprintf("%.1fms", d.Seconds()*1e3)
}

// Compile adds the kernel's target.
func (t RATEEST) Compile(a program.Action) error { return rateest.Kernel(a.Code, t) }

func (t RATEEST) blob(program.Env) (b xtables.RateEstimator) {
	copy(b.Name[:maxEstimator], t.Estimator)
	b.Interval = -2
	for d := shortestInterval; d < t.Interval; d *= 2 {
		b.Interval++
	}
	for d := t.Interval; d < t.Average; d *= 2 {
		b.EWMALog++
	}
	return b
}

func readRATEESTBlob(b xtables.RateEstimator, env program.Env) (t RATEEST, ok bool) {
	if b.Interval < -2 || b.Interval >= intervals-2 || b.EWMALog < 1 || b.EWMALog > 30 {
		return t, false
	}
	t.Estimator = xtables.String(b.Name[:])
	t.Interval = shortestInterval << (b.Interval + 2)
	t.Average = t.Interval << b.EWMALog
	return t, t.Average <= longestAverage && t.blob(env) == b
}
