package target

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Classify is -j CLASSIFY: it puts the packet into a class of the queueing
// discipline that it leaves by (tc's "classid"). It is valid in the chains that
// packets leave by: FORWARD, OUTPUT and POSTROUTING. Made by SetClass; the zero
// value is an error.
//
//	--set-class major:minor
//
// It is native in every family: meta priority. Both numbers are hexadecimal;
// where they are more than 16 bits, or something stands behind them, iptables
// forgets a part and we refuse. It mirrors net/netfilter/xt_CLASSIFY.c.
type Classify struct {
	class uint32
	given bool
}

// SetClass is "--set-class major:minor"; 0:0 is the class of all that no rule
// puts elsewhere.
func SetClass(major, minor uint16) Classify {
	return Classify{class: uint32(major)<<16 | uint32(minor), given: true}
}

// Class is what SetClass was given.
func (t Classify) Class() (major, minor uint16) { return uint16(t.class >> 16), uint16(t.class) }

// Name is "CLASSIFY".
func (Classify) Name() string { return classify.Name }

func (Classify) ext() option.Extension { return classify }

var classify = &option.Spec[Classify]{
	Name: "CLASSIFY",
	Rows: []option.Row[Classify]{{
		Name: "--set-class", Args: 1, Want: "major:minor, two hexadecimal numbers up to ffff",
		Set: func(t *Classify, _ bool, w []string, _ option.Context) error {
			first, last, ok := strings.Cut(w[0], ":")
			major, err1 := parseHex16(first)
			minor, err2 := parseHex16(last)
			if !ok || err1 != nil || err2 != nil {
				return fmt.Errorf("bad class value %q", w[0])
			}
			*t = SetClass(major, minor)
			return nil
		},
		Get: func(t *Classify, _ nf.Family) (bool, string, bool) {
			major, minor := t.Class()
			return false, fmt.Sprintf("%04x:%04x", major, minor), true
		},
	}},
	Check: func(t *Classify, _ option.Context) error {
		if !t.given {
			return errors.New("option \"--set-class\" must be specified")
		}
		return nil
	},
	Needs: func(Classify) option.Needs {
		return option.Needs{Chains: []string{"FORWARD", "OUTPUT", "POSTROUTING"}}
	},
	List: func(t Classify, _ *option.Lister) string {
		major, minor := t.Class()
		return fmt.Sprintf("CLASSIFY set %x:%x", major, minor)
	},
	Read: func(r *program.Reader) (t Classify, ok bool) {
		im, ok := r.Item(0).(program.Immediate)
		n, okN := im.Value.Uint()
		if !ok || !okN || n > 0xffffffff || r.Item(1) != priorityStore {
			return t, false
		}
		r.Take(2)
		return SetClass(uint16(n>>16), uint16(n)), true
	},
	XT: option.XTStruct(option.XT[Classify]{Target: true}, 0,
		func(t Classify, _ program.Env) xtables.Classify { return xtables.Classify{Priority: t.class} },
		func(b xtables.Classify, _ program.Env) (Classify, bool) {
			return Classify{class: b.Priority, given: true}, true
		}),
}

var priorityStore program.Expr = program.MetaSet{Key: program.MetaPriority, Reg: 1}

// parseHex16 reads a hexadecimal number of 16 bits, with or without 0x.
func parseHex16(w string) (uint16, error) {
	digits := strings.TrimPrefix(strings.TrimPrefix(w, "0x"), "0X")
	n, err := strconv.ParseUint(digits, 16, 16)
	return uint16(n), err
}

// Compile stores the class.
func (t Classify) Compile(a program.Action) error {
	a.Add(program.Immediate{Reg: 1, Value: program.Host32(t.class)}, priorityStore)
	return nil
}
