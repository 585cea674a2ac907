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

// DSCP is -j DSCP: it writes the six bits of the differentiated services field.
// It is valid in table mangle. Made by SetDSCP; the zero value is an error.
//
//	--set-dscp value | --set-dscp-class class
//
// It is native, a change of the header with IPv4's checksum, for one family: a
// rule for both is programmed into an ip and an ip6 table. It mirrors
// net/netfilter/xt_DSCP.c.
type DSCP struct {
	value uint8
	given bool
}

// SetDSCP is "--set-dscp value", 0 to 63; more is an error.
func SetDSCP(value uint8) DSCP { return DSCP{value, true} }

// Value is what SetDSCP was given.
func (t DSCP) Value() uint8 { return t.value }

// maxDSCP is the largest value of six bits.
const maxDSCP = 63

// dscpBits are the field's place in the type of service.
const dscpBits = 0xfc

// Name is "DSCP".
func (DSCP) Name() string { return dscp.Name }

func (DSCP) ext() option.Extension { return dscp }

var dscp = &option.Spec[DSCP]{
	Name: "DSCP",
	Rows: []option.Row[DSCP]{
		{
			Name: "--set-dscp", Args: 1, Want: "a number from 0 to 63",
			Set: func(t *DSCP, _ bool, w []string, _ option.Context) error {
				n, err := option.Uint(w[0], 0, maxDSCP)
				return t.set(uint8(n), err)
			},
			Get: func(t *DSCP, _ nf.Family) (bool, string, bool) {
				return false, fmt.Sprintf("0x%02x", t.value), true
			},
		},
		{
			Name: "--set-dscp-class", Args: 1, Want: "a class: BE, EF, CS0 to CS7, AF11 to AF43",
			Set: func(t *DSCP, _ bool, w []string, _ option.Context) error {
				for name, n := range dscpClasses {
					if strings.EqualFold(name, w[0]) {
						return t.set(n, nil)
					}
				}
				return fmt.Errorf("invalid DSCP value `%s'", w[0])
			},
		},
	},
	Check: func(t *DSCP, _ option.Context) error {
		switch {
		case !t.given:
			return errors.New("parameter --set-dscp is required")
		case t.value > maxDSCP:
			return fmt.Errorf("--set-dscp %d is out of range (0-63)", t.value)
		}
		return nil
	},
	Needs: func(DSCP) option.Needs { return option.Needs{Tables: []string{"mangle"}} },
	List:  func(t DSCP, _ *option.Lister) string { return fmt.Sprintf("DSCP set 0x%02x", t.value) },
	Read: func(r *program.Reader) (DSCP, bool) {
		mask, value, ok := readTOSBits(r)
		return SetDSCP(value >> 2), ok && mask == dscpBits && value&^dscpBits == 0 && r.Left() == 0
	},
	XT: option.XTStruct(option.XT[DSCP]{Target: true, Tables: []string{"mangle"}}, 0,
		func(t DSCP, _ program.Env) xtables.DSCPTarget { return xtables.DSCPTarget{DSCP: t.value} },
		func(b xtables.DSCPTarget, _ program.Env) (DSCP, bool) { return SetDSCP(b.DSCP), b.DSCP <= maxDSCP }),
}

// set stores one of the two options' values.
func (t *DSCP) set(n uint8, err error) error {
	if err == nil && t.given {
		err = errors.New("--set-dscp cannot be used together with --set-dscp-class")
	}
	*t = SetDSCP(n)
	return err
}

// dscpClasses are the names of RFC 2474, 2597 and 3246.
var dscpClasses = map[string]uint8{
	"BE": 0, "EF": 0x2e,
	"CS0": 0, "CS1": 0x08, "CS2": 0x10, "CS3": 0x18, "CS4": 0x20, "CS5": 0x28, "CS6": 0x30, "CS7": 0x38,
	"AF11": 0x0a, "AF12": 0x0c, "AF13": 0x0e, "AF21": 0x12, "AF22": 0x14, "AF23": 0x16,
	"AF31": 0x1a, "AF32": 0x1c, "AF33": 0x1e, "AF41": 0x22, "AF42": 0x24, "AF43": 0x26,
}

// Compile changes the header.
func (t DSCP) Compile(a program.Action) error {
	if a.Env.Both() {
		return program.NotInInet("DSCP")
	}
	tosBits(a.Env, dscpBits, t.value<<2).compile(a)
	return nil
}
