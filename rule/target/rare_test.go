package target_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// Literals say what their options say.
func TestRarerTargetsAsValues(t *testing.T) {
	bans := nf.InIPSet("bans", nf.Src)
	p := netip.MustParsePrefix
	for want, tg := range map[string]target.Target{
		"-j SET --add-set bans src --exist --timeout 0": target.SET{Add: bans, Exist: true, Timeout: target.Is[uint32](0)},
		"-j SET --map-set bans src --map-mark":          target.SET{Map: bans, MapMark: true},
		"-j CONNSECMARK --save":                         target.SaveSecMark,
		"-j SECMARK --selctx a:b:c":                     target.SECMARK("a:b:c"),
		"-j IDLETIMER --timeout 5 --label x":            target.IDLETIMER{Timeout: 5, Label: "x"},
		`-j LED --led-trigger-id "x" --led-delay inf`:   target.LED{Trigger: "x", Delay: target.LEDForever},
		"-j RATEEST --rateest-name in --rateest-interval 250.0ms --rateest-ewmalog 1.0s": target.RATEEST{
			Estimator: "in", Interval: 200 * time.Millisecond, Average: time.Second},
		"-j SNPT --src-pfx fd00::/64 --dst-pfx 2001:db8::/64": target.SNPT{From: p("fd00::/64"), To: p("2001:db8::/64")},
		"-j HMARK --hmark-src-prefix 24 --hmark-rnd 0x00000007 --hmark-mod 3": target.HMARK{
			Source: target.Is[uint8](24), Rnd: target.Is[uint32](7), Modulus: 3},
		"-j ULOG": target.ULOG{Group: 1, Threshold: 1},
	} {
		r := rule.New(tg)
		if r.Err() != nil || r.String() != want {
			t.Errorf("%+v is %q, %v, want %q", tg, r, r.Err(), want)
		}
	}
	proxy := rule.New(target.TPROXY{Port: target.Is[uint16](0), Mark: nf.Mark(1)}, match.Proto(nf.TCP))
	if got := proxy.In(nf.IPv6).String(); got != "-p tcp -j TPROXY --on-port 0 --on-ip :: --tproxy-mark 0x1/0xffffffff" {
		t.Error(got)
	}
}

// What was forgotten or cannot be is an error of the rule, and says which.
func TestRarerTargetsThatCannotBe(t *testing.T) {
	bans := nf.InIPSet("bans", nf.Src)
	p := netip.MustParsePrefix
	for want, tg := range map[string]target.Target{
		"--add-set":                     target.SET{},
		"--map-mark":                    target.SET{Map: bans},
		"--exist":                       target.SET{Del: bans, Exist: true},
		"4294967295":                    target.SET{Add: bans, Timeout: target.Is[uint32](1<<32 - 1)},
		"--save":                        target.CONNSECMARK(0),
		"--selctx":                      target.SECMARK(""),
		"--timeout":                     target.IDLETIMER{Label: "x"},
		"too long":                      target.IDLETIMER{Timeout: 1, Label: strings.Repeat("x", 28)},
		"--led-trigger-id":              target.LED{},
		"--rateest-name":                target.RATEEST{Interval: time.Second, Average: time.Minute},
		"too large":                     target.RATEEST{Estimator: "x", Interval: time.Minute, Average: time.Hour},
		"--src-pfx":                     target.SNPT{To: p("fd00::/64")},
		"no IPv6 prefix":                target.DNPT{From: p("10.0.0.0/8"), To: p("fd00::/64")},
		"behind the prefix":             target.DNPT{From: p("fd00::1/64"), To: p("fd00::/64")},
		"--hmark-mod":                   target.HMARK{},
		"--hmark-rnd":                   target.HMARK{Modulus: 1},
		"--hmark-tuple":                 target.HMARK{Modulus: 1, Rnd: target.Is[uint32](0)},
		"-4 or -6":                      target.HMARK{Modulus: 1, Rnd: target.Is[uint32](0), Source: target.Is(target.AllBits)},
		"--on-port":                     target.TPROXY{},
		"threshold":                     target.ULOG{Threshold: 51},
		"invalid parameter combination": target.CLUSTERIP{New: true},
	} {
		if err := rule.New(tg, match.Proto(nf.TCP)).Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", tg, err, want)
		}
	}
}
