package target

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// TCPMSS is -j TCPMSS: it writes the segment size of SYN packets. TCPMSS(1400)
// is --set-mss; ClampMSS, the zero value, follows the path. It needs -p tcp and
// a match.TCP that wants the flag SYN; ClampMSS is valid in the chains that
// packets leave by: FORWARD, OUTPUT and POSTROUTING.
//
//	--set-mss value | --clamp-mss-to-pmtu
//
// It is the kernel's own xt target, which ip and ip6 tables have and inet tables
// have not: nf_tables writes the option where it is, but cannot add it where it
// is missing. --set-mss 0, which iptables takes, is refused. It mirrors
// net/netfilter/xt_TCPMSS.c.
type TCPMSS uint16

// ClampMSS is --clamp-mss-to-pmtu: what the path carries, less the headers.
const ClampMSS TCPMSS = 0

// The largest sizes, a packet less its headers.
const (
	maxMSS4 = 65515
	maxMSS6 = 65495
)

// clampInfo is XT_TCPMSS_CLAMP_PMTU.
const clampInfo = 0xffff

// Name is "TCPMSS".
func (TCPMSS) Name() string { return tcpmss.Name }

func (TCPMSS) ext() option.Extension { return tcpmss }

var tcpmss = &option.Spec[TCPMSS]{
	Name: "TCPMSS",
	Rows: []option.Row[TCPMSS]{
		{
			Name: "--set-mss", Args: 1, Want: "a size from 1 to 65515, for IPv6 65495",
			Set: func(t *TCPMSS, _ bool, w []string, _ option.Context) error {
				n, err := option.Uint(w[0], 1, maxMSS4)
				if err == nil && *t != noMSS {
					err = errMSSTwice
				}
				*t = TCPMSS(n)
				return err
			},
			Get: func(t *TCPMSS, _ nf.Family) (bool, string, bool) {
				return false, strconv.Itoa(int(*t)), *t != ClampMSS
			},
		},
		{
			Name: "--clamp-mss-to-pmtu",
			Set: func(t *TCPMSS, _ bool, _ []string, _ option.Context) error {
				if *t != noMSS {
					return errMSSTwice
				}
				*t = ClampMSS
				return nil
			},
			Get: func(t *TCPMSS, _ nf.Family) (bool, string, bool) { return false, "", *t == ClampMSS },
		},
	},
	Default: func(option.Context) TCPMSS { return noMSS },
	Check: func(t *TCPMSS, c option.Context) error {
		most := TCPMSS(maxMSS4)
		if c.Family == nf.IPv6 {
			most = maxMSS6
		}
		switch {
		case *t == noMSS:
			return errors.New("at least one parameter is required")
		case *t > most:
			return fmt.Errorf("--set-mss %d is out of range (1-%d)", *t, most)
		}
		return nil
	},
	Needs: func(t TCPMSS) option.Needs {
		n := option.Needs{Protos: []nf.Protocol{nf.TCP}, SYN: true}
		if t == ClampMSS {
			n.Chains = []string{"FORWARD", "OUTPUT", "POSTROUTING"}
		}
		return n
	},
	List: func(t TCPMSS, _ *option.Lister) string {
		if t == ClampMSS {
			return "TCPMSS clamp to PMTU"
		}
		return fmt.Sprintf("TCPMSS set %d", t)
	},
	XT: option.XTStruct(option.XT[TCPMSS]{Target: true}, 0,
		func(t TCPMSS, _ program.Env) xtables.TCPMSS {
			if t == ClampMSS {
				return xtables.TCPMSS{MSS: clampInfo}
			}
			return xtables.TCPMSS{MSS: uint16(t)}
		},
		func(b xtables.TCPMSS, _ program.Env) (TCPMSS, bool) {
			if b.MSS == clampInfo {
				return ClampMSS, true
			}
			return TCPMSS(b.MSS), b.MSS != 0
		}),
}

// noMSS is the value before an option was read; it is larger than any size.
const noMSS TCPMSS = 0xffff

var errMSSTwice = errors.New("--set-mss and --clamp-mss-to-pmtu exclude each other")

// Compile adds the xt target.
func (t TCPMSS) Compile(a program.Action) error { return tcpmss.Kernel(a.Code, t) }
