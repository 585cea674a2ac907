package match

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Own is membership in a set of the table's own (package table/set):
//
//	-m own [!] --match-set NAME field[,field[,field]]
//
// The fields are src, dst, sport, dport, in, out, mark and proto, in the order of
// the set's key. Real iptables refuses the extension, so a saved file never loads
// there with the rule missing. (The kernel's ipsets are -m set.)
//
// It is native: the fields are loaded and looked up in the named nf_tables set.
// Ports are looked at in whole headers only, which later fragments have not; they
// need a -p that has ports, or proto among the fields. A packet that lacks a field
// (a port, where proto is something else) is in no set, and does not match ! either.
// Sets with addresses live in ip and ip6 tables. It mirrors
// net/netfilter/nft_lookup.c.
type Own struct {
	Set Opt[string] // --match-set: the set's name
	By  By          // what is looked up; the zero value is an error
}

// By says which fields of a packet are looked up, in the order of the set's key.
// The first that is zero ends it.
type By [3]Field

// Field is one field of a packet. The zero value is none.
type Field uint8

// The fields of a packet that sets can hold.
const (
	SrcAddr    Field = iota + 1 // src: the source address
	DstAddr                     // dst
	SrcPort                     // sport: the source port of what has ports
	DstPort                     // dport
	InIface                     // in: the name of the interface it came in through
	OutIface                    // out
	PacketMark                  // mark
	L4Proto                     // proto: the protocol behind the IP headers
)

// fieldWords are the fields as --match-set names them, by their numbers.
var fieldWords = [...]string{"", "src", "dst", "sport", "dport", "in", "out", "mark", "proto"}

// String is the word of --match-set: "src".
func (f Field) String() string {
	if int(f) < len(fieldWords) {
		return fieldWords[f]
	}
	return "field?"
}

// Fields are the fields that are given.
func (b By) Fields() []Field {
	for i, f := range b {
		if f == 0 {
			return b[:i:i]
		}
	}
	return b[:]
}

// String is what --match-set takes: "src,dport".
func (b By) String() string {
	var words []string
	for _, f := range b.Fields() {
		words = append(words, f.String())
	}
	return strings.Join(words, ",")
}

// Err is not nil where no field is given, or what is no field.
func (b By) Err() error {
	n := len(b.Fields())
	if n == 0 {
		return errors.New("--match-set: no field of the packet to look for")
	}
	for i, f := range b {
		if int(f) >= len(fieldWords) || f != 0 && i >= n {
			return errors.New("--match-set: not fields of a packet")
		}
	}
	return nil
}

// has says whether a field is among them.
func (b By) has(fields ...Field) bool {
	for _, f := range b.Fields() {
		for _, g := range fields {
			if f == g {
				return true
			}
		}
	}
	return false
}

// Name is "own".
func (Own) Name() string { return own.Name }

func (Own) ext() option.Extension { return own }

// ErrNoSet is the reason of a match without a set.
var ErrNoSet = errors.New("no set")

// maxSetName is the longest name of a set: ipset's 31.
const maxSetName = 31

// CheckSetName refuses what cannot be the name of a set: 1 to 31 printable bytes,
// without blanks and quotes.
func CheckSetName(name string) error {
	switch {
	case name == "":
		return ErrNoSet
	case len(name) > maxSetName:
		return fmt.Errorf("setname `%s' too long, max %d characters", name, maxSetName)
	}
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c > '~' || c == '"' || c == '\'' || c == '\\' {
			return fmt.Errorf("setname %q: letters, digits and signs only", name)
		}
	}
	return nil
}

var own = &option.Spec[Own]{
	Name: "own",
	Rows: []option.Row[Own]{{
		Name: "--match-set", Args: 2, Invert: true, Want: "a set and src, dst, sport, dport, in, out, mark or proto for each part of its key",
		Set: func(m *Own, not bool, words []string, _ option.Context) (err error) {
			m.Set = isOrNot(not, words[0])
			m.By, err = parseBy(words[1])
			return err
		},
		Get: func(m *Own, _ nf.Family) (bool, string, bool) {
			name, not, ok := m.Set.Get()
			return not, name + " " + m.By.String(), ok
		},
	}},
	Check: func(m *Own, _ option.Context) error {
		name, _, _ := m.Set.Get()
		if err := CheckSetName(name); err != nil {
			return err
		}
		return m.By.Err()
	},
	Needs: func(m Own) option.Needs {
		if m.By.has(SrcPort, DstPort) && !m.By.has(L4Proto) {
			return option.Needs{Protos: []nf.Protocol{nf.TCP, nf.UDP, nf.UDPLite, nf.DCCP, nf.SCTP}}
		}
		return option.Needs{}
	},
	List: func(m Own, _ *option.Lister) string {
		name, not, _ := m.Set.Get()
		if not {
			return "! own-set " + name + " " + m.By.String()
		}
		return "own-set " + name + " " + m.By.String()
	},
	Read: readOwn,
}

// parseBy reads "src,dport".
func parseBy(w string) (b By, err error) {
	words := strings.Split(w, ",")
	if len(words) > len(b) {
		return b, fmt.Errorf("%d fields, %d at most", len(words), len(b))
	}
	for i, word := range words {
		for f, name := range fieldWords {
			if name == word && f > 0 {
				b[i] = Field(f)
			}
		}
		if b[i] == 0 {
			return By{}, fmt.Errorf("unknown field `%s'", word)
		}
	}
	return b, nil
}

// load is what loads a field, and the type of a key of it.
func (f Field) load(env program.Env) (load program.Expr, t program.KeyType) {
	switch f {
	case SrcAddr, DstAddr:
		if env.V6() {
			return program.Payload{Base: program.Network, Offset: 8 + 16*uint32(f-SrcAddr), Len: 16}, program.TypeIPv6
		}
		return program.Payload{Base: program.Network, Offset: 12 + 4*uint32(f-SrcAddr), Len: 4}, program.TypeIPv4
	case SrcPort:
		return sportField, program.TypeService
	case DstPort:
		return dportField, program.TypeService
	case InIface:
		return program.Meta{Key: program.MetaIifname}, program.TypeIfname
	case OutIface:
		return program.Meta{Key: program.MetaOifname}, program.TypeIfname
	case PacketMark:
		return program.Meta{Key: program.MetaMark}, program.TypeMark
	}
	return program.Meta{Key: program.MetaL4Proto}, program.TypeProto
}

// KeyType is the type of the key that the fields make in a table of a family, as
// the set must have it.
func (b By) KeyType(env program.Env) uint32 {
	var types []program.KeyType
	for _, f := range b.Fields() {
		_, t := f.load(env)
		types = append(types, t)
	}
	return program.Concat(types...)
}

// ownReg is the register that begins n bytes into a key, as nft numbers it.
func ownReg(n int) program.Reg {
	if n%16 == 0 {
		return program.Reg(1 + n/16)
	}
	return program.Reg(8 + n/4)
}

// Compile loads the fields one behind the other, and looks them up.
func (m Own) Compile(c *program.Code) error {
	name, not, _ := m.Set.Get()
	if c.Env.Plain {
		return &program.InexactError{
			Extension: own.Name, Why: "the tables that iptables shares hold no sets of nf_tables",
			Hint: "use a kernel ipset (-m set), or another owner than iptables",
		}
	}
	if m.By.has(SrcAddr, DstAddr) && c.Env.Family == program.Inet {
		return program.NotInInet(own.Name)
	}
	set, ok := c.Env.Sets.Named(name)
	switch {
	case !ok:
		return fmt.Errorf("set %s: %w", name, fs.ErrNotExist)
	case set.KeyType != 0 && set.KeyType != m.By.KeyType(c.Env):
		return fmt.Errorf("set %s is not one of %v", name, m.By)
	}
	if m.By.has(SrcPort, DstPort) {
		c.Test(whole(wholePorts))
	}
	c.Add(m.By.loads(c.Env, set.Ranges)...)
	c.Add(program.Lookup{Name: set.Kernel, Reg: ownReg(0), Not: not})
	return nil
}

// loads load the fields into registers.
func (b By) loads(env program.Env, ranges bool) []program.Expr {
	var out []program.Expr
	at := 0
	for _, f := range b.Fields() {
		load, t := f.load(env)
		reg := ownReg(at)
		switch e := load.(type) {
		case program.Payload:
			e.Reg = reg
			out = append(out, e)
		case program.Meta:
			e.Reg = reg
			out = append(out, e)
		}
		if ranges && t.Host() {
			out = append(out, program.Byteorder{Src: reg, Dst: reg, ToNetwork: true, Len: 4, Size: 4})
		}
		at += program.Padded(t.Len())
	}
	return out
}

// readOwn reads loads up to a lookup in a set of the table's own.
func readOwn(r *program.Reader) (m Own, ok bool) {
	if r.Env.Plain {
		return m, false
	}
	guarded := readWhole(r, wholePorts)
	at := 0
	for i := 0; ; i++ {
		if l, ok := r.Item(0).(program.Lookup); ok && i > 0 {
			set, ok := r.Env.Sets.InKernel(l.Name)
			if !ok || l.Name == "" || l.Map || l.Const != (program.ConstSet{}) || l.Reg != ownReg(0) ||
				guarded != m.By.has(SrcPort, DstPort) || set.KeyType != 0 && set.KeyType != m.By.KeyType(r.Env) {
				return m, false
			}
			r.Take(1)
			m.Set = isOrNot(l.Not, set.Name)
			return m, true
		}
		if i == len(m.By) {
			return m, false
		}
		f, ok := fieldOf(r.Item(0), r.Env, ownReg(at))
		if !ok {
			return m, false
		}
		r.Take(1)
		_, t := f.load(r.Env)
		if _, turned := r.Item(0).(program.Byteorder); turned && t.Host() {
			r.Take(1)
		}
		m.By[i] = f
		at += program.Padded(t.Len())
	}
}

// fieldOf is the field that an expression loads into a register.
func fieldOf(e program.Expr, env program.Env, reg program.Reg) (Field, bool) {
	for f := SrcAddr; int(f) < len(fieldWords); f++ {
		load, _ := f.load(env)
		switch l := load.(type) {
		case program.Payload:
			if l.Reg = reg; e == program.Expr(l) {
				return f, true
			}
		case program.Meta:
			if l.Reg = reg; e == program.Expr(l) {
				return f, true
			}
		}
	}
	return 0, false
}
