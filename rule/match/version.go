package match

import (
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Version is -4 or -6: the rule is for one family only. Rules with an address,
// an ICMP match and the like are so by themselves. In a table for one family it
// says nothing and is dropped.
type Version nf.Family

// Only restricts a rule to one family. Only(nf.Both) restricts nothing.
func Only(f nf.Family) Version { return Version(f) }

// Name is "": -4 and -6 are no extension.
func (Version) Name() string { return "" }

func (Version) ext() option.Extension { return nil }

// Slot is the first place.
func (Version) Slot() int { return slotVersion }

// Family is the family that it restricts to.
func (v Version) Family() nf.Family { return nf.Family(v) }

// Err is nil.
func (Version) Err() error { return nil }

// Text is "-4", "-6" or "".
func (v Version) Text() string {
	switch nf.Family(v) {
	case nf.IPv4:
		return "-4"
	case nf.IPv6:
		return "-6"
	}
	return ""
}

// Compile adds nothing: the compiler guards every rule of one family in a table
// for both, whatever made it so.
func (Version) Compile(*program.Code) error { return nil }
