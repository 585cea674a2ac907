package target

import (
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// LED is -j LED: packets make a light blink, by the trigger "netfilter-ID" that an
// administrator gives a lamp in /sys/class/leds. The zero value is an error.
//
//	--led-trigger-id name  [--led-delay milliseconds|inf]  [--led-always-blink]
//
// It is the kernel's own xt target, which ip and ip6 tables have and inet tables
// have not, in kernels with CONFIG_NETFILTER_XT_TARGET_LED. It mirrors
// net/netfilter/xt_LED.c.
type LED struct {
	Trigger     string // --led-trigger-id: 1 to 16 bytes
	Delay       uint32 // --led-delay: how long the light stays on, in milliseconds; LEDForever; zero: it only flashes
	AlwaysBlink bool   // --led-always-blink: it goes off and on again for each packet
}

// LEDForever is the Delay of a light that stays on: --led-delay inf.
const LEDForever uint32 = xtables.LEDForever

const (
	ledPrefix  = "netfilter-"
	maxTrigger = 16
)

// Name is "LED".
func (LED) Name() string { return led.Name }

func (LED) ext() option.Extension { return led }

var led = &option.Spec[LED]{
	Name: "LED",
	Rows: []option.Row[LED]{
		{
			Name: "--led-trigger-id", Args: 1, Want: "a name of 1 to 16 bytes",
			Set: func(t *LED, _ bool, w []string, _ option.Context) error {
				t.Trigger = w[0]
				if len(w[0]) > maxTrigger {
					return fmt.Errorf("argument must have a maximum length of %d characters", maxTrigger)
				}
				return nil
			},
			Get: func(t *LED, _ nf.Family) (bool, string, bool) { return false, quoteLED(t.Trigger), true },
		},
		option.Field("--led-delay", func(t *LED) *uint32 { return &t.Delay }, option.Codec[uint32]{
			Want: "milliseconds, or inf",
			Parse: func(w string, _ option.Context) (uint32, error) {
				if strings.EqualFold(w, "inf") {
					return LEDForever, nil
				}
				n, err := option.Uint(w, 0, 0xffffffff)
				if err != nil {
					err = fmt.Errorf("delay value must be within range 0..%d", uint32(0xffffffff))
				}
				return uint32(n), err
			},
			Print: func(n uint32, _ nf.Family) string {
				if n == LEDForever {
					return "inf"
				}
				return fmt.Sprint(n)
			},
		}),
		option.Flag("--led-always-blink", func(t *LED) *bool { return &t.AlwaysBlink }),
	},
	Check: func(t *LED, _ option.Context) error {
		if t.Trigger == "" {
			return must("--led-trigger-id", false)
		}
		if err := option.CheckText(t.Trigger, maxTrigger); err != nil {
			return fmt.Errorf("--led-trigger-id %w", err)
		}
		return nil
	},
	List: func(t LED, _ *option.Lister) string {
		s := fmt.Sprintf("led-trigger-id:%s led-delay:%dms", quoteLED(t.Trigger), t.Delay)
		if t.Delay == LEDForever {
			s = fmt.Sprintf("led-trigger-id:%s led-delay:inf", quoteLED(t.Trigger))
		}
		if t.AlwaysBlink {
			s += " led-always-blink"
		}
		return s
	},
	XT: option.XTStruct(option.XT[LED]{Target: true}, 0,
		func(t LED, _ program.Env) xtables.LED {
			b := xtables.LED{Delay: t.Delay}
			copy(b.ID[:len(ledPrefix)+maxTrigger], ledPrefix+t.Trigger)
			if t.AlwaysBlink {
				b.AlwaysBlink = 1
			}
			return b
		},
		func(b xtables.LED, _ program.Env) (LED, bool) {
			name, ok := strings.CutPrefix(xtables.String(b.ID[:]), ledPrefix)
			return LED{name, b.Delay, b.AlwaysBlink == 1}, ok && b.AlwaysBlink <= 1 && b.Data == 0
		}),
}

// quoteLED is a name in quotes, as iptables has every one.
func quoteLED(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// Compile adds the kernel's target.
func (t LED) Compile(a program.Action) error { return led.Kernel(a.Code, t) }
