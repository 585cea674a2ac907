package target

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// CT is -j CT: it says how the connection tracker will treat the packet's
// connection. It is valid in table raw. The zero value, which iptables takes, does
// nothing but keep later CT rules from having an effect.
//
//	--notrack  --helper name  --timeout name
//	--ctevents event[,event…]  --expevents event
//	--zone id | --zone mark, and the same with --zone-orig and --zone-reply
//
// --notrack alone and a zone by number alone are native in every family. The
// rest needs the kernel's own xt target, which the kernel ties to the table name
// raw: see program.InexactError. Of several zones the last number holds, a mark
// before any number, and both directions are all: that is what iptables saves, and
// what the kernel does. The kernel gives back the first four bytes of a timeout
// policy's name, so that a rule with a longer one works and never reads as itself:
// it is written again whenever its table is. It mirrors net/netfilter/xt_CT.c.
type CT struct {
	NoTrack   bool     // --notrack: the packet is UNTRACKED, and the rest is of no effect
	Helper    string   // --helper, 1 to 15 bytes, needs -p; "": none is assigned
	Timeout   string   // --timeout: a policy's name, 1 to 31 bytes, needs -p; "": the usual ones
	Events    CTEvents // --ctevents; zero: all
	ExpEvents CTEvents // --expevents, only EventNew; zero: all
	Zone      CTZone   // --zone and its kin; the zero value is the zone of all, 0
}

// CTEvents is a set of connection events.
type CTEvents uint32

// The events that --ctevents knows, IPCT_* of the kernel.
const (
	EventNew CTEvents = 1 << iota
	EventRelated
	EventDestroy
	EventReply
	EventAssured
	EventProtoInfo
	EventHelper
	EventMark
	EventNATSeqInfo
	EventSecMark
)

var eventNames = [...]string{
	"new", "related", "destroy", "reply", "assured", "protoinfo", "helper", "mark", "natseqinfo", "secmark",
}

// String is "new,destroy", in the kernel's order.
func (e CTEvents) String() string {
	var names []string
	for i, n := range eventNames {
		if e&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return strings.Join(names, ",")
}

// CTZone is a connection tracking zone. Made by Zone or ZoneMark; the zero value
// is zone 0, in which everything is that no rule puts elsewhere.
type CTZone struct {
	id   uint16
	mark bool
	dir  program.Dir
}

// Zone is the zone of that number.
func Zone(id uint16) CTZone { return CTZone{id: id} }

// ZoneMark is the zone whose number is the packet's mark (its lower 16 bits).
func ZoneMark() CTZone { return CTZone{mark: true} }

// Original is the zone for the original direction only (--zone-orig).
func (z CTZone) Original() CTZone { z.dir = program.Original; return z }

// Reply is the zone for the reply direction only (--zone-reply).
func (z CTZone) Reply() CTZone { z.dir = program.Reply; return z }

// normalise leaves of several options what the kernel makes of them: iptables
// keeps the last number, which the mark overrules, and adds up the directions.
func (z *CTZone) normalise() {
	if z.mark {
		z.id = 0
	}
	switch {
	case !z.mark && z.id == 0: // the kernel has no zone 0 but the usual one
		*z = CTZone{}
	case z.dir > program.Reply:
		z.dir = program.NoDir
	}
}

// String is the zone as --zone takes it: its number, or "mark".
func (z CTZone) String() string {
	if z.mark {
		return "mark"
	}
	return fmt.Sprint(z.id)
}

// Name is "CT".
func (CT) Name() string { return ct.Name }

func (CT) ext() option.Extension { return ct }

var ct = &option.Spec[CT]{
	Name: "CT",
	Rows: []option.Row[CT]{
		option.Flag("--notrack", func(t *CT) *bool { return &t.NoTrack }),
		ctName("--helper", maxHelper, func(t *CT) *string { return &t.Helper }),
		ctName("--timeout", maxTimeout, func(t *CT) *string { return &t.Timeout }),
		ctEvents("--ctevents", len(eventNames), func(t *CT) *CTEvents { return &t.Events }),
		ctEvents("--expevents", 1, func(t *CT) *CTEvents { return &t.ExpEvents }),
		zoneRow(program.Original),
		zoneRow(program.Reply),
		zoneRow(program.NoDir),
	},
	Check: checkCT,
	Needs: func(CT) option.Needs {
		return option.Needs{Tables: []string{"raw"}, Chains: []string{"PREROUTING", "OUTPUT"}}
	},
	List: func(t CT, _ *option.Lister) string { return t.words() },
	Read: readCT,
	XT:   option.XTStruct(option.XT[CT]{Target: true, Tables: []string{"raw"}}, 2, CT.blob, readCTBlob),
}

// What the names may be at most, the fields of struct xt_ct_target_info_v1 less
// the end of the string.
const (
	maxHelper  = 15
	maxTimeout = 31
)

func ctName(name string, most int, field func(*CT) *string) option.Row[CT] {
	row := option.Field(name, field, option.Text(most))
	set := row.Set
	row.Set = func(t *CT, not bool, w []string, c option.Context) error {
		if w[0] == "" { // iptables reads it, and forgets the option
			return errors.New("empty")
		}
		return set(t, not, w, c)
	}
	row.Get = func(t *CT, _ nf.Family) (bool, string, bool) { return false, *field(t), *field(t) != "" }
	return row
}

func ctEvents(name string, known int, field func(*CT) *CTEvents) option.Row[CT] {
	return option.Field(name, field, option.Codec[CTEvents]{
		Want: "events: " + strings.Join(eventNames[:known], ","),
		Parse: func(w string, _ option.Context) (e CTEvents, err error) {
		next:
			for _, name := range strings.Split(w, ",") {
				for i, n := range eventNames[:known] {
					if n == name {
						e |= 1 << i
						continue next
					}
				}
				return 0, fmt.Errorf("unknown event type %q", name)
			}
			return e, nil
		},
		Print: func(e CTEvents, _ nf.Family) string { return e.String() },
	})
}

// zoneWords are the options of a zone, by the direction that it is for.
var zoneWords = [...]string{program.NoDir: "zone", program.Original: "zone-orig", program.Reply: "zone-reply"}

func zoneRow(dir program.Dir) option.Row[CT] {
	return option.Row[CT]{
		Name: "--" + zoneWords[dir], Args: 1, Want: "a number from 0 to 65535, or mark",
		Set: func(t *CT, _ bool, w []string, _ option.Context) error {
			t.Zone.dir |= dir
			if w[0] == "mark" {
				t.Zone.mark = true
				return nil
			}
			n, err := option.Uint(w[0], 0, 65535)
			t.Zone.id = uint16(n)
			if err != nil {
				return fmt.Errorf("cannot parse %s as a zone ID", w[0])
			}
			return nil
		},
		Get: func(t *CT, _ nf.Family) (bool, string, bool) {
			return false, t.Zone.String(), t.Zone != CTZone{} && t.Zone.dir == dir
		},
	}
}

func checkCT(t *CT, c option.Context) error {
	switch {
	case len(t.Helper) > maxHelper || strings.ContainsAny(t.Helper, "\x00\n"):
		return fmt.Errorf("--helper: a name of at most %d bytes", maxHelper)
	case len(t.Timeout) > maxTimeout || strings.ContainsAny(t.Timeout, "\x00\n"):
		return fmt.Errorf("--timeout: a name of at most %d bytes", maxTimeout)
	case t.Events >= 1<<len(eventNames):
		return errors.New("--ctevents: unknown event type")
	case t.ExpEvents&^EventNew != 0:
		return errors.New("--expevents: unknown event type")
	case (t.Helper != "" || t.Timeout != "") && !t.NoTrack && (c.Proto == 0 || c.ProtoNot):
		return errors.New("--helper and --timeout need a protocol (-p), not inverted")
	}
	t.Zone.normalise()
	return nil
}

// words is what iptables -L prints.
func (t CT) words() string {
	words := []string{"CT"}
	add := func(name, value string) {
		if value != "" {
			words = append(words, name, value)
		}
	}
	if t.NoTrack {
		words = append(words, "notrack")
	}
	add("helper", t.Helper)
	add("timeout", t.Timeout)
	add("ctevents", t.Events.String())
	add("expevents", t.ExpEvents.String())
	if t.Zone != (CTZone{}) {
		add(zoneWords[t.Zone.dir], t.Zone.String())
	}
	return strings.Join(words, " ")
}
