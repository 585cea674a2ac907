package target

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// ECN is -j ECN: it writes the bits of explicit congestion notification, of
// IPv4 packets only. It is valid in table mangle; what concerns TCP needs -p tcp.
// The zero value is an error.
//
//	--ecn-tcp-remove | [--ecn-tcp-ece 0|1] [--ecn-tcp-cwr 0|1]  [--ecn-ip-ect 0..3]
//
// The IP header's code point alone is native, a change of the header with its
// checksum. TCP's bits need the kernel's own xt target, which the kernel ties to
// the table name mangle: see program.InexactError. nf_tables could write them, but
// not in what looks like a header in a later fragment, where xt_ECN does, and
// nft's grammar has no words for it. It mirrors net/ipv4/netfilter/ipt_ECN.c.
type ECN struct {
	ECE ECNBit // --ecn-tcp-ece; zero: stays. With CWR, both ECNClear: --ecn-tcp-remove
	CWR ECNBit // --ecn-tcp-cwr; zero: stays
	ECT ECT    // --ecn-ip-ect; zero: stays
}

// ECNBit is what becomes of a bit. The zero value leaves it as it is.
type ECNBit uint8

// What may become of a bit.
const (
	ECNClear ECNBit = iota + 1 // 0
	ECNSet                     // 1
)

// ECT is a code point of the IP header, plus one, so that the zero value leaves
// the header as it is.
type ECT uint8

// The code points of RFC 3168.
const (
	NotECT ECT = iota + 1 // 0: not capable of it
	ECT1                  // 1
	ECT0                  // 2
	ECTCE                 // 3: congestion was experienced
)

// ectBits are the field's place in the type of service.
const ectBits = 0x03

// Name is "ECN".
func (ECN) Name() string { return ecn.Name }

func (ECN) ext() option.Extension { return ecn }

var ecn = &option.Spec[ECN]{
	Name:     "ECN",
	Families: nf.IPv4,
	Rows: []option.Row[ECN]{
		ecnBit("--ecn-tcp-ece", func(t *ECN) *ECNBit { return &t.ECE }),
		ecnBit("--ecn-tcp-cwr", func(t *ECN) *ECNBit { return &t.CWR }),
		{
			Name: "--ecn-tcp-remove",
			Set: func(t *ECN, _ bool, _ []string, _ option.Context) error {
				switch {
				case t.ECE != 0 || t.CWR != 0:
					return errECNRemove
				case t.ECT != 0: // which iptables forgets
					return errors.New("option \"--ecn-tcp-remove\" must stand before \"--ecn-ip-ect\"")
				}
				t.ECE, t.CWR = ecnRemoved, ecnRemoved
				return nil
			},
			Get: func(t *ECN, _ nf.Family) (bool, string, bool) { return false, "", t.removes() && t.ECT == 0 },
		},
		option.Field("--ecn-ip-ect", func(t *ECN) *ECT { return &t.ECT }, option.Codec[ECT]{
			Want: "a number from 0 to 3",
			Parse: func(w string, _ option.Context) (ECT, error) {
				n, err := option.Uint(w, 0, 3)
				return ECT(n + 1), err
			},
			Print: func(e ECT, _ nf.Family) string { return fmt.Sprint(e - 1) },
		}),
	},
	Check: checkECN,
	Needs: func(t ECN) option.Needs {
		n := option.Needs{Tables: []string{"mangle"}}
		if t.ECE != 0 || t.CWR != 0 {
			n.Protos = []nf.Protocol{nf.TCP}
		}
		return n
	},
	List: func(t ECN, _ *option.Lister) string { return "ECN " + t.words() },
	Read: func(r *program.Reader) (ECN, bool) {
		mask, value, ok := readTOSBits(r)
		return ECN{ECT: ECT(value) + 1}, ok && r.Env.V4() && mask == ectBits && value <= ectBits
	},
	XT: option.XTStruct(option.XT[ECN]{Target: true, Tables: []string{"mangle"}}, 0, ECN.blob, readECNBlob),
}

// ecnRemoved is ECNClear as --ecn-tcp-remove says it, until the value is checked.
const ecnRemoved ECNBit = 0xff

var errECNRemove = errors.New("option \"--ecn-tcp-remove\" cannot be used together with \"--ecn-tcp-ece\" and \"--ecn-tcp-cwr\"")

// removes says whether t is --ecn-tcp-remove, which is printed so only where it
// is all.
func (t ECN) removes() bool { return t.ECE == ECNClear && t.CWR == ECNClear }

func ecnBit(name string, field func(*ECN) *ECNBit) option.Row[ECN] {
	row := option.Field(name, field, option.Codec[ECNBit]{
		Want: "0 or 1",
		Parse: func(w string, _ option.Context) (ECNBit, error) {
			n, err := option.Uint(w, 0, 1)
			return ECNBit(n + 1), err
		},
		Print: func(b ECNBit, _ nf.Family) string { return fmt.Sprint(b - 1) },
	})
	set, get := row.Set, row.Get
	row.Set = func(t *ECN, not bool, w []string, c option.Context) error {
		if *field(t) == ecnRemoved {
			return errECNRemove
		}
		return set(t, not, w, c)
	}
	row.Get = func(t *ECN, f nf.Family) (bool, string, bool) {
		if t.removes() && t.ECT == 0 {
			return false, "", false
		}
		return get(t, f)
	}
	return row
}

func checkECN(t *ECN, _ option.Context) error {
	if t.ECE == ecnRemoved {
		t.ECE, t.CWR = ECNClear, ECNClear
	}
	switch {
	case *t == ECN{}:
		return errors.New("an operation is required")
	case t.ECE > ECNSet || t.CWR > ECNSet:
		return errors.New("--ecn-tcp-ece and --ecn-tcp-cwr are 0 or 1")
	case t.ECT > ECTCE:
		return fmt.Errorf("--ecn-ip-ect %d is out of range (0-3)", t.ECT-1)
	}
	return nil
}

// words is what iptables -L prints.
func (t ECN) words() string {
	if t.removes() && t.ECT == 0 {
		return "TCP remove"
	}
	var words []string
	for _, w := range [...]struct {
		name string
		n    uint8
	}{{"ECE", uint8(t.ECE)}, {"CWR", uint8(t.CWR)}, {"ECT codepoint", uint8(t.ECT)}} {
		if w.n != 0 {
			words = append(words, fmt.Sprintf("%s=%d", w.name, w.n-1))
		}
	}
	return strings.Join(words, " ")
}

// blob is what ipt_ECN is given.
func (t ECN) blob(program.Env) (b xtables.ECNTarget) {
	if t.ECT != 0 {
		b.Operation, b.IPECT = xtables.ECNSetIP, uint8(t.ECT-1)
	}
	if t.ECE != 0 {
		b.Operation |= xtables.ECNSetECE
	}
	if t.CWR != 0 {
		b.Operation |= xtables.ECNSetCWR
	}
	b.SetTCP(t.ECE == ECNSet, t.CWR == ECNSet)
	return b
}

func readECNBlob(b xtables.ECNTarget, env program.Env) (t ECN, ok bool) {
	if b.Operation&xtables.ECNSetIP != 0 {
		t.ECT = ECT(b.IPECT) + 1
	}
	ece, cwr := b.GetTCP()
	for _, bit := range [...]struct {
		field *ECNBit
		op    uint8
		set   bool
	}{{&t.ECE, xtables.ECNSetECE, ece}, {&t.CWR, xtables.ECNSetCWR, cwr}} {
		if b.Operation&bit.op == 0 {
			continue
		}
		*bit.field = ECNClear
		if bit.set {
			*bit.field = ECNSet
		}
	}
	return t, b.IPECT <= ectBits && t != ECN{} && t.blob(env) == b
}

// Compile changes the header, or adds the xt target.
func (t ECN) Compile(a program.Action) error {
	if t.ECE != 0 || t.CWR != 0 || a.Env.Both() {
		return ecn.Kernel(a.Code, t)
	}
	tosBits(a.Env, ectBits, uint8(t.ECT-1)).compile(a)
	return nil
}
