package target

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// SET is -j SET: it adds fields of the packet to one of the kernel's ipsets,
// takes them out of one, or gives the packet what one has stored beside them, and
// goes on with the next rule. One of Add, Del and Map must be given; one of each
// may be.
//
//	--add-set name src|dst[,src|dst]…  [--exist] [--timeout seconds]
//	--del-set name src|dst[,src|dst]…
//	--map-set name src|dst[,src|dst]…  --map-mark | --map-prio | --map-queue
//
// It is the kernel's own xt target, revision 3, which ip and ip6 tables have and
// inet tables have not; names of sets are as in match.Set. The kernel ties Map to
// the table name mangle, which the owner iptables has, and MapPriority and
// MapQueue to the chains FORWARD, OUTPUT and POSTROUTING. It mirrors
// net/netfilter/xt_set.c.
type SET struct {
	Add         nf.IPSet    // --add-set; zero: none
	Del         nf.IPSet    // --del-set; zero: none
	Map         nf.IPSet    // --map-set: a set with skbinfo; zero: none
	Exist       bool        // --exist, with Add: an entry that is there gets its timeout anew
	Timeout     Opt[uint32] // --timeout, with Add: in seconds, 0 for an entry that stays; absent: the set's own
	MapMark     bool        // --map-mark: the packet's mark becomes the entry's, under the entry's mask
	MapPriority bool        // --map-prio: its priority
	MapQueue    bool        // --map-queue: the queue of the device that it leaves by
}

// Name is "SET".
func (SET) Name() string { return ipset.Name }

func (SET) ext() option.Extension { return ipset }

var ipset = &option.Spec[SET]{
	Name: "SET",
	Rows: []option.Row[SET]{
		ipsetRow("--add-set", func(t *SET) *nf.IPSet { return &t.Add }),
		option.Flag("--exist", func(t *SET) *bool { return &t.Exist }),
		opt("--timeout", func(t *SET) *Opt[uint32] { return &t.Timeout }, ipsetTimeout),
		ipsetRow("--del-set", func(t *SET) *nf.IPSet { return &t.Del }),
		ipsetRow("--map-set", func(t *SET) *nf.IPSet { return &t.Map }),
		option.Flag("--map-mark", func(t *SET) *bool { return &t.MapMark }),
		option.Flag("--map-prio", func(t *SET) *bool { return &t.MapPriority }),
		option.Flag("--map-queue", func(t *SET) *bool { return &t.MapQueue }),
	},
	Check: checkSET,
	Needs: func(t SET) (n option.Needs) {
		if t.Map.Given() {
			n.Tables = []string{"mangle"}
		}
		if t.MapPriority || t.MapQueue {
			n.Chains = []string{"FORWARD", "OUTPUT", "POSTROUTING"}
		}
		return n
	},
	List: listSET,
	XT: option.XTStruct(option.XT[SET]{Target: true, IPSets: func(t *SET) []*string {
		return []*string{&t.Add.Name, &t.Del.Name, &t.Map.Name}
	}}, 3, SET.blob, readSETBlob),
}

// ipsetTimeout is a codec for seconds. More than 4294967 the kernel takes and
// counts as that.
var ipsetTimeout = option.Codec[uint32]{
	Want: "a number from 0 to 4294967294",
	Parse: func(w string, _ option.Context) (uint32, error) {
		n, err := option.Uint(w, 0, xtables.NoIPSetTimeout-1)
		if err != nil {
			return 0, fmt.Errorf("invalid value for option --timeout or out of range 0-%d", uint32(xtables.NoIPSetTimeout-1))
		}
		return uint32(n), nil
	},
	Print: func(n uint32, _ nf.Family) string { return strconv.FormatUint(uint64(n), 10) },
}

func ipsetRow(name string, field func(*SET) *nf.IPSet) option.Row[SET] {
	return option.Row[SET]{
		Name: name, Args: 2, Want: option.IPSetWant,
		Set: func(t *SET, _ bool, w []string, _ option.Context) (err error) {
			*field(t), err = option.ParseIPSet(name, w)
			return err
		},
		Get: func(t *SET, _ nf.Family) (bool, string, bool) {
			s := *field(t)
			return false, option.PrintIPSet(s), s.Given()
		},
	}
}

func checkSET(t *SET, _ option.Context) error {
	for _, s := range [...]nf.IPSet{t.Add, t.Del, t.Map} {
		if err := s.Err(); s.Given() && err != nil {
			return err
		}
	}
	maps := t.MapMark || t.MapPriority || t.MapQueue
	switch {
	case !t.Add.Given() && !t.Del.Given() && !t.Map.Given():
		return errors.New("you must specify either `--add-set' or `--del-set' or `--map-set'")
	case t.Exist && !t.Add.Given():
		return errors.New("flag `--exist' can be used with `--add-set' only")
	case t.Timeout.Given() && !t.Add.Given():
		return errors.New("option `--timeout' can be used with `--add-set' only")
	case t.Timeout.v == xtables.NoIPSetTimeout:
		return errors.New("--timeout 4294967295 is out of range")
	case t.Map.Given() && !maps:
		return errors.New("you must specify flags `--map-mark' or '--map-prio` or `--map-queue'")
	case maps && !t.Map.Given():
		return errors.New("--map-mark, --map-prio and --map-queue can be used with `--map-set' only")
	}
	return nil
}

func listSET(t SET, _ *option.Lister) (out string) {
	part := func(word string) {
		if out != "" {
			out += " "
		}
		out += word
	}
	if t.Add.Given() {
		part("add-set " + option.ListIPSet(t.Add))
		if t.Exist {
			part("exist")
		}
		if n, ok := t.Timeout.Get(); ok {
			part(fmt.Sprintf("timeout %d", n))
		}
	}
	if t.Del.Given() {
		part("del-set " + option.ListIPSet(t.Del))
	}
	if t.Map.Given() {
		part("map-set " + option.ListIPSet(t.Map))
		for _, f := range t.flags()[1:] {
			if *f.field {
				part(f.name)
			}
		}
	}
	return out
}

// Compile adds the kernel's target.
func (t SET) Compile(a program.Action) error {
	if t.Map.Given() && (!a.Env.Plain || a.Env.Table != "mangle") {
		return &program.InexactError{
			Extension: "SET",
			Why:       "nf_tables has no form of it, and the kernel ties --map-set to the table name mangle",
			Hint:      "the owner iptables has the table of that name",
		}
	}
	return ipset.Kernel(a.Code, t)
}

// setFlag is a bit of the struct and the field that it is.
type setFlag struct {
	bit   uint32
	name  string
	field *bool
}

func (t *SET) flags() []setFlag {
	return []setFlag{
		{xtables.IPSetExist, "exist", &t.Exist}, {xtables.IPSetMapMark, "map-mark", &t.MapMark},
		{xtables.IPSetMapPrio, "map-prio", &t.MapPriority}, {xtables.IPSetMapQueue, "map-queue", &t.MapQueue},
	}
}

func (t SET) blob(program.Env) xtables.SetTarget {
	b := xtables.SetTarget{
		Add: option.EncodeIPSet(t.Add), Del: option.EncodeIPSet(t.Del), Map: option.EncodeIPSet(t.Map),
		Timeout: xtables.NoIPSetTimeout,
	}
	if n, ok := t.Timeout.Get(); ok {
		b.Timeout = n
	}
	for _, f := range t.flags() {
		if *f.field {
			b.Flags |= f.bit
		}
	}
	return b
}

func readSETBlob(b xtables.SetTarget, _ program.Env) (t SET, ok bool) {
	ok = (b.Add.Flags|b.Del.Flags|b.Map.Flags)&xtables.IPSetInvert == 0
	for _, s := range [...]struct {
		from xtables.IPSet
		to   *nf.IPSet
	}{{b.Add, &t.Add}, {b.Del, &t.Del}, {b.Map, &t.Map}} {
		var one bool
		*s.to, one = option.DecodeIPSet(s.from)
		ok = ok && one
	}
	if b.Timeout != xtables.NoIPSetTimeout {
		t.Timeout = Is(b.Timeout)
	}
	left := b.Flags
	for _, f := range t.flags() {
		*f.field = b.Flags&f.bit != 0
		left &^= f.bit
	}
	return t, ok && left == 0
}
