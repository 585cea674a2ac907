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

// TCPOptStrip is -j TCPOPTSTRIP: it overwrites options of the TCP header with
// no-operations. It is valid in table mangle and needs -p tcp. Made by StripOptions;
// the zero value, which iptables takes, strips nothing.
//
//	--strip-options option[,option…]
//
// An option is a number from 2 to 255, or mss, wscale, sack-permitted, sack,
// timestamp or md5.
//
// It is native in every family, nf_tables' "reset tcp option", one expression an
// option. They differ in headers that nobody makes in good faith: of an option that
// stands twice nf_tables strips the first, xt_TCPOPTSTRIP both; and a packet whose
// option claims to be longer than what is left of the header is dropped by nf_tables
// where that option is to be stripped, and left alone by xt_TCPOPTSTRIP. It mirrors net/netfilter/xt_TCPOPTSTRIP.c and
// nft_exthdr.c.
type TCPOptStrip struct {
	bits [8]uint32
}

// StripOptions strips the options of these kinds, 2 to 255; 0 and 1, the end and
// the no-operation, are errors.
func StripOptions(kinds ...uint8) (t TCPOptStrip) {
	for _, k := range kinds {
		t.bits[k/32] |= 1 << (k % 32)
	}
	return t
}

// Has says whether options of a kind are stripped.
func (t TCPOptStrip) Has(kind uint8) bool { return t.bits[kind/32]&(1<<(kind%32)) != 0 }

// kinds are the options, in ascending order.
func (t TCPOptStrip) kinds() (out []uint8) {
	for k := range 256 {
		if t.Has(uint8(k)) {
			out = append(out, uint8(k))
		}
	}
	return out
}

// Name is "TCPOPTSTRIP".
func (TCPOptStrip) Name() string { return tcpoptstrip.Name }

func (TCPOptStrip) ext() option.Extension { return tcpoptstrip }

var tcpoptstrip = &option.Spec[TCPOptStrip]{
	Name: "TCPOPTSTRIP",
	Rows: []option.Row[TCPOptStrip]{{
		Name: "--strip-options", Args: 1, Want: "options by number, 2 to 255, or name, separated by commas",
		Set: setStripped,
		Get: func(t *TCPOptStrip, _ nf.Family) (bool, string, bool) {
			return false, t.list(nil), *t != TCPOptStrip{}
		},
	}},
	Check: func(t *TCPOptStrip, _ option.Context) error {
		if t.Has(0) || t.Has(1) {
			return errStripped
		}
		return nil
	},
	Needs: func(TCPOptStrip) option.Needs {
		return option.Needs{Tables: []string{"mangle"}, Protos: []nf.Protocol{nf.TCP}}
	},
	List: func(t TCPOptStrip, l *option.Lister) string {
		switch {
		case t == TCPOptStrip{}:
			return ""
		case l.Numeric():
			return "TCPOPTSTRIP options " + t.list(nil)
		}
		return "TCPOPTSTRIP options " + t.list(optionNames)
	},
	Read: readStripped,
	XT: option.XTStruct(option.XT[TCPOptStrip]{Target: true, Tables: []string{"mangle"}}, 0,
		func(t TCPOptStrip, _ program.Env) xtables.TCPOptStrip { return xtables.TCPOptStrip{Bits: t.bits} },
		func(b xtables.TCPOptStrip, _ program.Env) (TCPOptStrip, bool) {
			t := TCPOptStrip{b.Bits}
			return t, !t.Has(0) && !t.Has(1)
		}),
}

var errStripped = errors.New("option value may not be 0 or 1")

// optionNames are the options that iptables has a name for.
var optionNames = map[uint8]string{
	2: "mss", 3: "wscale", 4: "sack-permitted", 5: "sack", 8: "timestamp", 19: "md5",
}

// list is the options separated by commas, by the names that there are.
func (t TCPOptStrip) list(names map[uint8]string) string {
	var words []string
	for _, k := range t.kinds() {
		w, ok := names[k]
		if !ok {
			w = strconv.Itoa(int(k))
		}
		words = append(words, w)
	}
	return strings.Join(words, ",")
}

func setStripped(t *TCPOptStrip, _ bool, w []string, _ option.Context) error {
	for _, word := range strings.Split(w[0], ",") {
		k, err := parseOption(word)
		switch {
		case err != nil:
			return err
		case k < 2:
			return errStripped
		case t.Has(k):
			return fmt.Errorf("option %q already specified", word)
		}
		t.bits[k/32] |= 1 << (k % 32)
	}
	return nil
}

// parseOption reads the name of an option, or its number.
func parseOption(w string) (uint8, error) {
	for k, name := range optionNames {
		if name == w {
			return k, nil
		}
	}
	n, err := option.Uint(w, 0, 255)
	if err != nil {
		return 0, fmt.Errorf("bad TCP option value %q", w)
	}
	return uint8(n), nil
}

// readStripped takes one strip after the other, in ascending order.
func readStripped(r *program.Reader) (t TCPOptStrip, ok bool) {
	last := uint8(1)
	for {
		e, is := r.Item(0).(program.TCPStrip)
		if !is || e.Kind <= last {
			return t, last > 1
		}
		last = e.Kind
		t.bits[last/32] |= 1 << (last % 32)
		r.Take(1)
	}
}

// Compile adds a strip for each option; for none, the xt target.
func (t TCPOptStrip) Compile(a program.Action) error {
	if t == (TCPOptStrip{}) {
		return tcpoptstrip.Kernel(a.Code, t)
	}
	for _, k := range t.kinds() {
		a.Add(program.TCPStrip{Kind: k})
	}
	return nil
}
