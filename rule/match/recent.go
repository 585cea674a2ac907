package match

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Recent is -m recent: a list of addresses that the kernel keeps, with the times
// at which each was seen; /proc/net/xt_recent shows it. Rules in any chain that
// name the same list share it.
//
//	[!] --set | --rcheck | --update | --remove
//	--seconds n [--reap]  --hitcount n  --rttl
//	--name list  --mask netmask  --rsource | --rdest
//
// nf_tables has nothing that counts times, so it is the kernel's own xt match, which
// ip and ip6 tables have and inet tables have not. iptables saves a name with a
// blank without quotes and cannot read that back; here it is quoted. A list that
// is longer than 199 bytes iptables cuts short, and a mask it reads as it does a
// host, by name or as one number; here they are errors. It mirrors
// net/netfilter/xt_recent.c.
type Recent struct {
	Do       RecentDo   // --set, --rcheck, --update or --remove; zero is an error
	Not      bool       // "!" before it: what is done is the same
	List     string     // --name, of at most 199 bytes; "": DEFAULT
	Dest     bool       // --rdest: the destination's address; false: --rsource
	Mask     netip.Addr // --mask: the bits of the address that count; the zero Addr: all
	Seconds  uint32     // --seconds: seen within so many, at most 2³¹-1; 0: ever
	HitCount uint32     // --hitcount: seen so often, at most 65,535; 0: once
	Reap     bool       // --reap: forget what was seen longer ago than Seconds
	TTL      bool       // --rttl: with the same TTL as when it was set
}

// RecentDo is what a Recent does with the address of a packet.
type RecentDo uint8

// The four things that a Recent may do.
const (
	RecentSet    RecentDo = iota + 1 // put it on the list, and match
	RecentCheck                      // match if it is there
	RecentUpdate                     // match if it is there, and note the time
	RecentRemove                     // match if it is there, and take it off
)

// recentOps are what a RecentDo is called: as an option, in a listing, in the struct.
var recentOps = [...]struct {
	option, list string
	bit          uint8
}{
	RecentSet:    {"--set", " SET", xtables.RecentSet},
	RecentCheck:  {"--rcheck", " CHECK", xtables.RecentCheck},
	RecentUpdate: {"--update", " UPDATE", xtables.RecentUpdate},
	RecentRemove: {"--remove", " REMOVE", xtables.RecentRemove},
}

const (
	defaultRecent = "DEFAULT"
	maxRecentName = 199
	maxHits       = 65535 // of a list's times, XT_RECENT_MAX_NSTAMPS - 1; 255 before Linux 6.5
	maxSeconds    = 1<<31 - 1
)

// Name is "recent".
func (Recent) Name() string { return recent.Name }

func (Recent) ext() option.Extension { return recent }

var recent = &option.Spec[Recent]{
	Name: "recent",
	Rows: []option.Row[Recent]{
		recentOp(RecentSet), recentOp(RecentCheck), recentOp(RecentUpdate), recentOp(RecentRemove),
		option.Field("--seconds", func(m *Recent) *uint32 { return &m.Seconds }, option.Number[uint32](1, maxSeconds)),
		option.Flag("--reap", func(m *Recent) *bool { return &m.Reap }),
		option.Field("--hitcount", func(m *Recent) *uint32 { return &m.HitCount }, option.Number[uint32](0, maxHits)),
		option.Flag("--rttl", func(m *Recent) *bool { return &m.TTL }),
		recentName,
		{
			Name: "--mask", Args: 1, Want: "a netmask",
			Set: func(m *Recent, _ bool, w []string, _ option.Context) (err error) {
				m.Mask, err = netip.ParseAddr(w[0])
				return err
			},
			Get: func(m *Recent, f nf.Family) (bool, string, bool) {
				mask := m.mask(f)
				return false, mask.String(), mask.IsValid()
			},
		},
		recentSide("--rsource", false), recentSide("--rdest", true),
	},
	Check: func(m *Recent, _ option.Context) error { return m.check() },
	Needs: func(m Recent) option.Needs {
		if m.Mask.IsValid() {
			return option.Needs{Family: nf.FamilyOf(m.Mask)}
		}
		return option.Needs{}
	},
	List: listRecent,
	XT: option.XTStruct(option.XT[Recent]{Loose: true}, 1,
		Recent.blob, readRecent),
}

// recentOp is the row of one operation, of which there is one in a rule.
func recentOp(do RecentDo) option.Row[Recent] {
	name := recentOps[do].option
	return option.Row[Recent]{
		Name: name, Invert: true,
		Set: func(m *Recent, not bool, _ []string, _ option.Context) error {
			if m.Do != 0 {
				return together(name, recentOps[m.Do].option)
			}
			m.Do, m.Not = do, not
			return nil
		},
		Get: func(m *Recent, _ nf.Family) (bool, string, bool) { return m.Not, "", m.Do == do },
	}
}

// recentSide is the row of one side. The one that comes last counts.
func recentSide(name string, dest bool) option.Row[Recent] {
	return option.Row[Recent]{
		Name: name,
		Set: func(m *Recent, _ bool, _ []string, _ option.Context) error {
			m.Dest = dest
			return nil
		},
		Get: func(m *Recent, _ nf.Family) (bool, string, bool) { return false, "", m.Dest == dest },
	}
}

var recentName = func() option.Row[Recent] {
	row := option.Field("--name", func(m *Recent) *string { return &m.List }, bare(maxRecentName))
	set := row.Set
	row.Set = func(m *Recent, not bool, w []string, c option.Context) error {
		if err := procName(w[0], maxRecentName); err != nil {
			return err
		}
		return set(m, not, w, c)
	}
	return row
}()

// mask is the mask in a family's form; invalid for both, where all bits count.
func (m Recent) mask(f nf.Family) netip.Addr {
	switch {
	case m.Mask.IsValid():
		return m.Mask
	case f == nf.IPv4:
		return netip.AddrFrom4([4]byte{255, 255, 255, 255})
	case f == nf.IPv6:
		return netip.AddrFrom16(prefixMask(128))
	}
	return netip.Addr{}
}

// check refuses what iptables or the kernel refuses.
func (m *Recent) check() error {
	if m.List == "" {
		m.List = defaultRecent
	}
	if m.Mask.IsValid() && m.Mask == (Recent{}).mask(nf.FamilyOf(m.Mask)) {
		m.Mask = netip.Addr{}
	}
	if err := procName(m.List, maxRecentName); err != nil {
		return err
	}
	lists := m.Do == RecentSet || m.Do == RecentRemove
	switch {
	case m.Do == 0 || int(m.Do) >= len(recentOps):
		return errors.New("you must specify one of `--set', `--rcheck' `--update' or `--remove'")
	case m.TTL && lists:
		return together("--rttl", recentOps[m.Do].option)
	case m.Reap && m.Seconds == 0:
		return errors.New(`option "--reap" also requires "--seconds"`)
	case lists && m.Seconds != 0:
		return together("--seconds", recentOps[m.Do].option)
	case lists && m.HitCount != 0:
		return together("--hitcount", recentOps[m.Do].option)
	case m.Seconds > maxSeconds:
		return fmt.Errorf("%d seconds, %d at most", m.Seconds, maxSeconds)
	case m.HitCount > maxHits:
		return fmt.Errorf("a hit count of %d, %d at most", m.HitCount, maxHits)
	case m.Mask.Zone() != "" || m.Mask.Is4In6():
		return fmt.Errorf("%v is no netmask", m.Mask)
	}
	return nil
}

func listRecent(m Recent, l *option.Lister) string {
	var b strings.Builder
	b.WriteString(blank(m.Not) + "recent:" + recentOps[m.Do].list)
	if m.Seconds != 0 {
		fmt.Fprintf(&b, " seconds: %d", m.Seconds)
	}
	if m.Reap {
		b.WriteString(" reap")
	}
	if m.HitCount != 0 {
		fmt.Fprintf(&b, " hit_count: %d", m.HitCount)
	}
	if m.TTL {
		b.WriteString(" TTL-Match")
	}
	b.WriteString(" name: " + m.List)
	if m.Dest {
		b.WriteString(" side: dest")
	} else {
		b.WriteString(" side: source")
	}
	if mask := m.mask(l.Family); mask.IsValid() {
		b.WriteString(" mask: " + mask.String())
	}
	return b.String()
}

// Compile is the kernel's own match.
func (m Recent) Compile(c *program.Code) error { return recent.Kernel(c, m) }

// blob is the match as xt_recent takes it. What a shorter name leaves of DEFAULT
// is there as well when iptables makes it.
func (m Recent) blob(env program.Env) xtables.Recent {
	b := xtables.Recent{Seconds: m.Seconds, HitCount: m.HitCount, CheckSet: recentOps[m.Do].bit}
	b.CheckSet |= bitIf[uint8](m.TTL, xtables.RecentTTL) | bitIf[uint8](m.Reap, xtables.RecentReap)
	b.Invert = bitIf[uint8](m.Not, 1)
	b.Side = bitIf[uint8](m.Dest, 1)
	copy(b.Name[:], defaultRecent)
	copy(b.Name[:], m.List+"\x00")
	f := nf.IPv4
	if env.Family == program.IP6 {
		f = nf.IPv6
	}
	copy(b.Mask[:], m.mask(f).AsSlice())
	return b
}

// readRecent reads blob. In IPv4 iptables leaves the bytes behind the mask set
// where none was given, and nobody looks at them.
func readRecent(b xtables.Recent, env program.Env) (m Recent, ok bool) {
	m = Recent{
		Not: b.Invert == 1, List: xtables.String(b.Name[:]), Dest: b.Side == 1,
		Seconds: b.Seconds, HitCount: b.HitCount,
		Reap: b.CheckSet&xtables.RecentReap != 0, TTL: b.CheckSet&xtables.RecentTTL != 0,
	}
	ops := b.CheckSet &^ (xtables.RecentReap | xtables.RecentTTL)
	for do, op := range recentOps {
		if do != 0 && op.bit == ops {
			m.Do = RecentDo(do)
		}
	}
	switch {
	case env.Family == program.IP6:
		m.Mask = netip.AddrFrom16(b.Mask)
	case wideMask(b.Mask) || [12]byte(b.Mask[4:]) == [12]byte{}:
		m.Mask = netip.AddrFrom4([4]byte(b.Mask[:4]))
	default:
		return m, false
	}
	return m, b.Invert <= 1 && b.Side <= 1 && m.check() == nil
}
