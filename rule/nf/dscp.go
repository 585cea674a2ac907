package nf

import (
	"fmt"
	"strings"
)

// DSCP is a differentiated services code point, 0 to 63: the upper six bits of
// IPv4's type of service and of IPv6's traffic class. The zero value is best
// effort.
type DSCP uint8

// The code points that have a name (RFC 2474, RFC 2597, RFC 3246).
const (
	BE   DSCP = 0x00
	CS1  DSCP = 0x08
	AF11 DSCP = 0x0a
	AF12 DSCP = 0x0c
	AF13 DSCP = 0x0e
	CS2  DSCP = 0x10
	AF21 DSCP = 0x12
	AF22 DSCP = 0x14
	AF23 DSCP = 0x16
	CS3  DSCP = 0x18
	AF31 DSCP = 0x1a
	AF32 DSCP = 0x1c
	AF33 DSCP = 0x1e
	CS4  DSCP = 0x20
	AF41 DSCP = 0x22
	AF42 DSCP = 0x24
	AF43 DSCP = 0x26
	CS5  DSCP = 0x28
	EF   DSCP = 0x2e
	CS6  DSCP = 0x30
	CS7  DSCP = 0x38
)

// Err is not nil for more than six bits.
func (d DSCP) Err() error {
	if d > 63 {
		return &ValueError{Kind: "DSCP", Value: fmt.Sprint(uint8(d)), Reason: "out of range (0-63)"}
	}
	return nil
}

// String is "0x2e", as iptables prints it.
func (d DSCP) String() string { return fmt.Sprintf("0x%02x", uint8(d)) }

// DSCPClass is the code point of a class: "EF", "CS0" to "CS7", "AF11" to
// "AF43", "BE", in upper or lower case.
func DSCPClass(name string) (d DSCP, ok bool) {
	switch name = strings.ToUpper(name); {
	case name == "BE":
		return BE, true
	case name == "EF":
		return EF, true
	case len(name) == 3 && name[:2] == "CS" && name[2] >= '0' && name[2] <= '7':
		return DSCP(name[2]-'0') << 3, true
	case len(name) == 4 && name[:2] == "AF" && name[2] >= '1' && name[2] <= '4' && name[3] >= '1' && name[3] <= '3':
		return DSCP(name[2]-'0')<<3 | DSCP(name[3]-'0')<<1, true
	}
	return 0, false
}
