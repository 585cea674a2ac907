package match

import (
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// MH is -m mh: the mobility header of an IPv6 packet (RFC 6275). It implies IPv6
// and -p mobility-header. The zero value matches every such packet.
//
//	[!] --mh-type type[:type]
//
// It is the kernel's own xt_mh, which ip6 tables have and inet tables have not:
// it drops packets whose header is not the last or cut short. ip6tables-save
// loses "! --mh-type 0:255", which matches nothing; ours prints it. It mirrors
// net/netfilter/xt_mh.c.
type MH struct {
	Type Opt[MHTypes] // --mh-type
}

// MHTypes is a type of mobility header, or a range of types.
type MHTypes struct {
	Min, Max uint8 // both included; Min > Max is an error
}

// MHType is the one type t, as IANA numbers them: 5 is a binding update.
func MHType(t uint8) MHTypes { return MHTypes{t, t} }

// Err is not nil for a range that runs backward.
func (t MHTypes) Err() error {
	if t.Min > t.Max {
		return fmt.Errorf("invalid MH type range (min > max)")
	}
	return nil
}

// String is "5" or "5:7".
func (t MHTypes) String() string { return t.format(func(n uint8) string { return fmt.Sprint(n) }) }

func (t MHTypes) format(name func(uint8) string) string {
	if t.Min == t.Max {
		return name(t.Min)
	}
	return name(t.Min) + ":" + name(t.Max)
}

// allMHTypes is what iptables does not print, and no packet fails.
var allMHTypes = MHTypes{0, 255}

// mhTypes are the names of the types, a short one behind each; the place of a
// pair is the number.
var mhTypes = [...]string{
	"binding-refresh-request", "brr", "home-test-init", "hoti", "careof-test-init", "coti", "home-test", "hot",
	"careof-test", "cot", "binding-update", "bu", "binding-acknowledgement", "ba", "binding-error", "be",
}

// Name is "mh".
func (MH) Name() string { return mh.Name }

func (MH) ext() option.Extension { return mh }

var mh = &option.Spec[MH]{
	Name:     "mh",
	Families: nf.IPv6,
	Rows: []option.Row[MH]{
		opt("--mh-type", func(m *MH) *Opt[MHTypes] { return &m.Type }, mhTypeRange),
	},
	Check: func(m *MH, _ option.Context) error {
		if m.Type == Is(allMHTypes) {
			m.Type = Opt[MHTypes]{}
		}
		return valid(m.Type)
	},
	Needs: func(MH) option.Needs { return option.Needs{Protos: []nf.Protocol{nf.MH}, Imply: nf.MH} },
	List:  listMH,
	XT: option.XTStruct(option.XT[MH]{}, 0,
		func(m MH, _ program.Env) xtables.MH {
			t, not, ok := m.Type.Get()
			if !ok {
				t = allMHTypes
			}
			return xtables.MH{Types: [2]uint8{t.Min, t.Max}, Invert: bitIf[uint8](not, 1)}
		},
		func(b xtables.MH, _ program.Env) (m MH, ok bool) {
			if t := (MHTypes{b.Types[0], b.Types[1]}); t != allMHTypes || b.Invert != 0 {
				m.Type = isOrNot(b.Invert != 0, t)
			}
			return m, b.Invert <= 1 && valid(m.Type) == nil
		}),
}

// mhTypeRange is a codec for a type or a range, by number or name, either side
// open.
var mhTypeRange = option.Codec[MHTypes]{
	Want: "type[:type]",
	Parse: func(w string, _ option.Context) (t MHTypes, err error) {
		first, last, ranged := strings.Cut(w, ":")
		t = allMHTypes
		if first != "" || !ranged {
			t.Min, err = parseMHType(first)
		}
		if !ranged {
			t.Max = t.Min
		}
		if err == nil && last != "" {
			t.Max, err = parseMHType(last)
		}
		if err == nil {
			err = t.Err()
		}
		return t, err
	},
	Print: func(t MHTypes, _ nf.Family) string { return t.String() },
}

// parseMHType reads a number or a name, in upper or lower case, or the beginning
// of one, as ip6tables does: the first that begins so.
func parseMHType(w string) (uint8, error) {
	found := -1
	for i, name := range mhTypes {
		switch {
		case strings.EqualFold(name, w):
			return uint8(i / 2), nil
		case found < 0 && len(w) < len(name) && strings.EqualFold(name[:len(w)], w):
			found = i / 2
		}
	}
	if found >= 0 {
		return uint8(found), nil
	}
	n, err := option.Uint(w, 0, 255)
	if err != nil {
		return 0, fmt.Errorf("invalid MH type `%s'", w)
	}
	return uint8(n), nil
}

// Compile leaves it to xt_mh.
func (m MH) Compile(c *program.Code) error { return mh.Kernel(c, m) }

func listMH(m MH, l *option.Lister) string {
	t, not, ok := m.Type.Get()
	if !ok {
		return "mh"
	}
	return "mh " + bang(not) + t.format(func(n uint8) string {
		if i := 2 * int(n); i < len(mhTypes) && !l.Numeric() {
			return mhTypes[i]
		}
		return fmt.Sprint(n)
	})
}
