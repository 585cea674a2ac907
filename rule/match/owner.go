package match

import (
	"errors"
	"fmt"
	"os/user"
	"strconv"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Owner is -m owner: whose socket a packet comes from, in OUTPUT, POSTROUTING
// and what they go to. UID 0 is root, and is said with Is(ID(0)); the zero value
// is an error. IPv4 and IPv6.
//
//	[!] --socket-exists
//	[!] --uid-owner user[-user]  [!] --gid-owner group[-group]
//	--suppl-groups
//
// Users and groups are native unless they are inverted: nf_tables does not match
// a packet that has no socket, where xt_owner says that its owner is another
// one. The inverted, --socket-exists and --suppl-groups are xt_owner, which ip
// and ip6 tables have and inet tables have not; so is all of it in the tables
// that are shared with iptables-nft. Both native options in one match
// leave a note, which tells them from two matches. It mirrors
// net/netfilter/xt_owner.c.
//
// Names are those of the system on which a rule is parsed.
type Owner struct {
	Socket      Opt[bool]    // --socket-exists; Is(true) and Not(true), Is(false) is an error
	UID         Opt[IDRange] // --uid-owner
	GID         Opt[IDRange] // --gid-owner
	SupplGroups bool         // --suppl-groups: any group of the process will do; needs GID
}

// IDRange is a range of user or group numbers, First to Last, both included.
// The zero value is the number 0.
type IDRange struct{ First, Last uint32 }

// ID is the single number n.
func ID(n uint32) IDRange { return IDRange{n, n} }

// maxID is the last number: the one behind it means "no user".
const maxID = 1<<32 - 2

// Err is not nil for a range that runs backward or past the last number.
func (r IDRange) Err() error {
	switch {
	case r.First > r.Last:
		return &nf.ValueError{Kind: "range of users or groups", Value: r.String(), Reason: "runs backward"}
	case r.Last > maxID:
		return &nf.ValueError{Kind: "user or group", Value: r.String(), Reason: "is no number of one: 4294967294 at most"}
	}
	return nil
}

// String is "1000" or "1000-1999".
func (r IDRange) String() string {
	if r.First == r.Last {
		return fmt.Sprint(r.First)
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

const ownerName = "owner"

// Name is "owner".
func (Owner) Name() string { return ownerName }

func (Owner) ext() option.Extension { return owner }

var owner = &option.Spec[Owner]{
	Name: ownerName,
	Rows: []option.Row[Owner]{
		flag("--socket-exists", func(m *Owner) *Opt[bool] { return &m.Socket }),
		opt("--uid-owner", func(m *Owner) *Opt[IDRange] { return &m.UID }, idRange("--uid-owner", "a user or a range of user numbers", userID)),
		opt("--gid-owner", func(m *Owner) *Opt[IDRange] { return &m.GID }, idRange("--gid-owner", "a group or a range of group numbers", groupID)),
		{
			Name: "--suppl-groups",
			Set: func(m *Owner, _ bool, _ []string, _ option.Context) error {
				m.SupplGroups = true
				return needGroup(m)
			},
			Get: func(m *Owner, _ nf.Family) (bool, string, bool) { return false, "", m.SupplGroups },
		},
	},
	Check: func(m *Owner, _ option.Context) error {
		switch {
		case *m == (Owner{}):
			return errors.New("at least one of --uid-owner, --gid-owner or --socket-exists is required")
		case m.Socket.ok && !m.Socket.v:
			return errors.New("--socket-exists: Is(true) or Not(true)")
		}
		return errors.Join(valid(m.UID), valid(m.GID), needGroup(m))
	},
	Needs: func(Owner) option.Needs { return option.Needs{Chains: []string{"OUTPUT", "POSTROUTING"}} },
	List:  listOwner,
	Read:  readOwner,
	XT:    option.XTStruct(option.XT[Owner]{}, 1, Owner.blob, readOwnerBlob),
}

// needGroup is an error where --suppl-groups has no --gid-owner; iptables wants
// it before.
func needGroup(m *Owner) error {
	if m.SupplGroups && !m.GID.Given() {
		return errors.New("--suppl-groups: you need to use --gid-owner first")
	}
	return nil
}

// idRange is a codec for a number, a range of numbers, or a name.
func idRange(flag, want string, find func(name string) (string, error)) option.Codec[IDRange] {
	return option.Codec[IDRange]{
		Want: want,
		Parse: func(w string, _ option.Context) (IDRange, error) {
			bad := fmt.Errorf("bad value for %q option: %q", flag, w)
			if w == "" || w[0] == '-' {
				return IDRange{}, bad
			}
			if w[0] < '0' || w[0] > '9' {
				number, err := find(w)
				if err != nil {
					return IDRange{}, bad
				}
				w = number
			}
			first, last, ranged := strings.Cut(w, "-")
			if !ranged {
				last = first
			}
			lo, err1 := option.Uint(first, 0, maxID)
			hi, err2 := option.Uint(last, 0, maxID)
			if err1 != nil || err2 != nil {
				return IDRange{}, bad
			}
			r := IDRange{uint32(lo), uint32(hi)}
			return r, r.Err()
		},
		Print: func(r IDRange, _ nf.Family) string { return r.String() },
	}
}

// userID and groupID ask the system for the number of a name.
func userID(name string) (string, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return "", err
	}
	return u.Uid, nil
}

func groupID(name string) (string, error) {
	g, err := user.LookupGroup(name)
	if err != nil {
		return "", err
	}
	return g.Gid, nil
}

func listOwner(m Owner, l *option.Lister) string {
	var words []string
	if _, not, ok := m.Socket.Get(); ok {
		words = append(words, blank(not)+"owner socket exists")
	}
	name := func(r IDRange, find func(number string) string) string {
		if l.Numeric() || r.First != r.Last {
			return r.String()
		}
		return find(strconv.FormatUint(uint64(r.First), 10))
	}
	if r, not, ok := m.UID.Get(); ok {
		words = append(words, blank(not)+"owner UID match "+name(r, userName))
	}
	if r, not, ok := m.GID.Get(); ok {
		words = append(words, blank(not)+"owner GID match "+name(r, groupName))
	}
	if m.SupplGroups {
		words = append(words, "incl. suppl. groups")
	}
	return strings.Join(words, " ")
}

// userName and groupName ask the system for a number's name, else it is the number.
func userName(number string) string {
	if u, err := user.LookupId(number); err == nil {
		return u.Username
	}
	return number
}

func groupName(number string) string {
	if g, err := user.LookupGroupId(number); err == nil {
		return g.Name
	}
	return number
}

// Compile compares users and groups natively where none is inverted; else it is
// xt_owner.
func (m Owner) Compile(c *program.Code) error {
	if m.Socket.Given() || m.SupplGroups || m.UID.not || m.GID.not {
		return owner.Kernel(c, m)
	}
	if r, _, ok := m.UID.Get(); ok {
		compileID(c, program.MetaSkuid, r)
	}
	if r, _, ok := m.GID.Get(); ok {
		compileID(c, program.MetaSkgid, r)
	}
	if m.UID.Given() && m.GID.Given() {
		c.Is(ownerName)
	}
	return nil
}
