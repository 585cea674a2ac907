package match

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// State is -m state: the older spelling of -m conntrack --ctstate, without SNAT
// and DNAT. The zero value is an error. IPv4 and IPv6.
//
//	[!] --state state[,state…]    INVALID NEW RELATED ESTABLISHED UNTRACKED
//
// It is native, the same program as Conntrack's, with a note that says how it is
// spelled. In the tables that are shared with iptables-nft it is xt_conntrack,
// which has a bit for that. It mirrors net/netfilter/xt_conntrack.c.
type State struct {
	State Opt[CTState] // --state; absent is an error
}

// States is "-m state --state s".
func States(s CTState) State { return State{Is(s)} }

// CTState is a set of connection states. The zero value is the empty set, which
// is an error in a match.
type CTState uint8

const (
	Invalid     CTState = 1 << iota // INVALID: belongs to no connection and cannot start one
	Established                     // ESTABLISHED: seen in both directions
	Related                         // RELATED: belongs to another connection (ICMP error, FTP data)
	New                             // NEW: the first packets of a connection
	Untracked                       // UNTRACKED: exempted with NOTRACK
	SNATed                          // SNAT: the source address was translated
	DNATed                          // DNAT: the destination address was translated

	translated = SNATed | DNATed
	allStates  = DNATed<<1 - 1
)

// stateNames are the states in the order in which iptables prints them.
var stateNames = []flagName[CTState]{
	{"INVALID", Invalid}, {"NEW", New}, {"RELATED", Related}, {"ESTABLISHED", Established},
	{"UNTRACKED", Untracked}, {"SNAT", SNATed}, {"DNAT", DNATed},
}

// Err is not nil for the empty set and for states that there are not.
func (s CTState) Err() error {
	switch {
	case s == 0:
		return errors.New("no connection state")
	case s&^allStates != 0:
		return fmt.Errorf("no connection state has the bits %#x", uint8(s&^allStates))
	}
	return nil
}

// String is "RELATED,ESTABLISHED"; "" for the empty set.
func (s CTState) String() string { return printFlags(s, stateNames) }

// flagName is one of several words that make a list.
type flagName[V comparable] struct {
	name string
	bit  V
}

// flagList is a codec for a list of words. As in iptables a word may be cut
// short, case does not matter, and bad is what is said of one that is not known.
func flagList[V ~uint8 | ~uint16](want, bad string, names []flagName[V]) option.Codec[V] {
	return option.Codec[V]{
		Want: want,
		Parse: func(list string, _ option.Context) (all V, err error) {
			for _, w := range strings.Split(list, ",") {
				bit, ok := findFlag(w, names)
				if !ok {
					return 0, fmt.Errorf("%s %q", bad, w)
				}
				all |= bit
			}
			return all, nil
		},
		Print: func(v V, _ nf.Family) string { return printFlags(v, names) },
	}
}

func findFlag[V ~uint8 | ~uint16](w string, names []flagName[V]) (bit V, ok bool) {
	for _, n := range names {
		if w != "" && len(w) <= len(n.name) && strings.EqualFold(n.name[:len(w)], w) {
			return n.bit, true
		}
	}
	return 0, false
}

func printFlags[V ~uint8 | ~uint16](v V, names []flagName[V]) string {
	var words []string
	for _, n := range names {
		if v&n.bit != 0 {
			words = append(words, n.name)
		}
	}
	return strings.Join(words, ",")
}

// Name is "state".
func (State) Name() string { return stateName }

func (State) ext() option.Extension { return state }

const (
	stateName = "state"
	badState  = "Bad state"
)

var state = &option.Spec[State]{
	Name: stateName,
	Rows: []option.Row[State]{
		opt("--state", func(m *State) *Opt[CTState] { return &m.State },
			flagList("states, like RELATED,ESTABLISHED", badState, stateNames)),
	},
	Check: func(m *State, _ option.Context) error {
		s, _, ok := m.State.Get()
		switch {
		case !ok:
			return errors.New(`option "--state" must be specified: no connection state`)
		case s&translated != 0:
			return fmt.Errorf("%s %q: -m conntrack --ctstate has it", badState, s&translated)
		}
		return s.Err()
	},
	List: func(m State, _ *option.Lister) string {
		s, not, _ := m.State.Get()
		return blank(not) + "state " + s.String()
	},
	Read: readState,
	XT: option.XTStruct(option.XT[State]{Name: "conntrack", Inet: true}, 3,
		func(m State, _ program.Env) xtables.Conntrack {
			return Conntrack{State: m.State}.blob(xtables.ConntrackStateAlias)
		},
		func(b xtables.Conntrack, env program.Env) (State, bool) {
			c, alias, ok := readConntrackBlob(b, env)
			return State{c.State}, ok && alias && c == Conntrack{State: c.State}
		}),
}

// blank is "! " where not: what iptables -L prints before an inverted option.
func blank(not bool) string {
	if not {
		return "! "
	}
	return ""
}

// Compile compares natively and notes the spelling.
func (m State) Compile(c *program.Code) error {
	s, not, _ := m.State.Get()
	c.Test(stateTest(not, s))
	c.Is(stateName)
	return nil
}

// nativeUntracked is nf_tables' bit for UNTRACKED; those of the four states
// before it are CTState's own.
const nativeUntracked = 1 << 6

// stateTest is "ct state & s != 0". Without a connection the kernel's state is
// INVALID or UNTRACKED there as in xt_conntrack. SNAT and DNAT are no states of
// nf_tables; native says whether it can be said at all.
func stateTest(not bool, s CTState) program.Test {
	bits := uint32(s & (Invalid | Established | Related | New))
	if s&Untracked != 0 {
		bits |= nativeUntracked
	}
	return program.IsMasked(program.CT{Key: program.CTState}, !not, program.Host32(bits), program.Host32(0))
}

// readState reads the native form under its note.
func readState(r *program.Reader) (m State, ok bool) {
	t, _ := r.Test(0)
	if m.State, ok = readStateTest(t); !ok || r.Is() != stateName {
		return m, false
	}
	r.Take(1)
	return m, true
}

// readStateTest reads stateTest's value.
func readStateTest(t program.Test) (o Opt[CTState], ok bool) {
	bits, _ := t.Mask.Uint()
	s := CTState(bits) & (Invalid | Established | Related | New)
	if bits&nativeUntracked != 0 {
		s |= Untracked
	}
	not := t.Op == program.IsEq
	return isOrNot(not, s), s != 0 && t == stateTest(not, s)
}
