package target

import (
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// IDLETIMER is -j IDLETIMER: each packet winds up a timer, and when it has run
// down /sys/class/xt_idletimer/timers/LABEL tells who waits there. The timers are
// the whole host's, whatever the network namespace, and rules with the same label
// share one, so that they must agree on Alarm. The zero value is an error.
//
//	--timeout seconds  --label name  [--alarm]
//
// It is the kernel's own xt target, revision 1, which ip and ip6 tables have and
// inet tables have not. It mirrors net/netfilter/xt_IDLETIMER.c. A longer label,
// which iptables cuts off, is an error in a literal.
type IDLETIMER struct {
	Timeout uint32 // --timeout: 1 to 2147482 seconds
	Label   string // --label: 1 to 27 bytes, the name of a file
	Alarm   bool   // --alarm: the timer runs while the host sleeps, and wakes it
}

const (
	maxLabel = 27
	// maxIdle is INT_MAX / 1000 less 1, in seconds: the kernel counts milliseconds.
	maxIdle = 1<<31/1000 - 1
)

// Name is "IDLETIMER".
func (IDLETIMER) Name() string { return idletimer.Name }

func (IDLETIMER) ext() option.Extension { return idletimer }

var idletimer = &option.Spec[IDLETIMER]{
	Name: "IDLETIMER",
	Rows: []option.Row[IDLETIMER]{
		{
			Name: "--timeout", Args: 1, Want: fmt.Sprintf("seconds, from 1 to %d", maxIdle),
			Set: func(t *IDLETIMER, _ bool, w []string, _ option.Context) error {
				n, err := option.Uint(w[0], 1, maxIdle)
				t.Timeout = uint32(n)
				return err
			},
			Get: func(t *IDLETIMER, _ nf.Family) (bool, string, bool) { return false, fmt.Sprint(t.Timeout), true },
		},
		option.Field("--label", func(t *IDLETIMER) *string { return &t.Label }, option.Cut(maxLabel)),
		option.Flag("--alarm", func(t *IDLETIMER) *bool { return &t.Alarm }),
	},
	Check: checkIDLETIMER,
	List: func(t IDLETIMER, _ *option.Lister) string {
		s := fmt.Sprintf("timeout:%d label:%s", t.Timeout, t.Label)
		if t.Alarm {
			s += " alarm"
		}
		return s
	},
	XT: option.XTStruct(option.XT[IDLETIMER]{Target: true}, 1,
		func(t IDLETIMER, _ program.Env) xtables.IdleTimer {
			b := xtables.IdleTimer{Timeout: t.Timeout}
			copy(b.Label[:maxLabel], t.Label)
			if t.Alarm {
				b.Alarm = 1
			}
			return b
		},
		func(b xtables.IdleTimer, _ program.Env) (IDLETIMER, bool) {
			t := IDLETIMER{b.Timeout, xtables.String(b.Label[:]), b.Alarm == 1}
			return t, b.Alarm <= 1 && b.SendNLMsg == 0 && b.Timer == 0
		}),
}

// checkIDLETIMER refuses what the kernel does: the label names a file of sysfs.
func checkIDLETIMER(t *IDLETIMER, _ option.Context) error {
	switch err := option.CheckText(t.Label, maxLabel); {
	case t.Timeout == 0:
		return must("--timeout", false)
	case t.Timeout > maxIdle:
		return fmt.Errorf("--timeout %d is out of range (1-%d)", t.Timeout, maxIdle)
	case t.Label == "":
		return must("--label", false)
	case err != nil:
		return fmt.Errorf("--label %w", err)
	case t.Label == "power", t.Label == "subsystem", t.Label == "uevent", strings.Contains(t.Label, "/"):
		return fmt.Errorf("--label %q is no name of a file there", t.Label)
	}
	return nil
}

// Compile adds the kernel's target.
func (t IDLETIMER) Compile(a program.Action) error { return idletimer.Kernel(a.Code, t) }
