package match

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Connbytes is -m connbytes: what the packet's connection has carried so far,
// the packet included. All three must be given.
//
//	[!] --connbytes from[:to]  --connbytes-mode packets|bytes|avgpkt
//	--connbytes-dir original|reply|both
//
// It is the kernel's own xt match, which every family has: it makes the kernel
// count, and does not match what began before the kernel did; nf_tables' ct bytes is
// 0 then. The kernel's struct cannot say "not this one number", and iptables drops
// the ! there; here that is an error. iptables saves 0:0 as 0, which is any
// number; here it is 0:0. It mirrors net/netfilter/xt_connbytes.c.
type Connbytes struct {
	Count Opt[Counts]        // --connbytes; absent is an error
	Of    ConnbytesMode      // --connbytes-mode; zero is an error
	Dir   ConnbytesDirection // --connbytes-dir; zero is an error
}

// Counts is how many packets or bytes, Min and Max included. Made by AtLeast, or
// with both.
type Counts struct{ Min, Max uint64 }

// AtLeast is n and more.
func AtLeast(n uint64) Counts { return Counts{n, math.MaxUint64} }

// Err is not nil for a range that runs backward.
func (c Counts) Err() error {
	if c.Min > c.Max {
		return fmt.Errorf("%d should be less than %d", c.Min, c.Max)
	}
	return nil
}

// String is "5:9", or "5" for 5 and more.
func (c Counts) String() string {
	if c.Max == math.MaxUint64 {
		return fmt.Sprint(c.Min)
	}
	return fmt.Sprintf("%d:%d", c.Min, c.Max)
}

// ConnbytesMode is what a Connbytes counts.
type ConnbytesMode uint8

// What a Connbytes may count.
const (
	CountPackets ConnbytesMode = iota + 1
	CountBytes
	CountAverage // bytes a packet
)

// ConnbytesDirection is which packets of a connection a Connbytes counts.
type ConnbytesDirection uint8

// The directions of a Connbytes.
const (
	CountOriginal ConnbytesDirection = iota + 1
	CountReply
	CountBoth
)

var (
	connbytesModes = [...]string{"packets", "bytes", "avgpkt"}
	connbytesDirs  = [...]string{"original", "reply", "both"}
)

// Name is "connbytes".
func (Connbytes) Name() string { return connbytes.Name }

func (Connbytes) ext() option.Extension { return connbytes }

var connbytes = &option.Spec[Connbytes]{
	Name: "connbytes",
	Rows: []option.Row[Connbytes]{
		opt("--connbytes", func(m *Connbytes) *Opt[Counts] { return &m.Count }, countRange),
		option.Field("--connbytes-mode", func(m *Connbytes) *ConnbytesMode { return &m.Of }, oneOf[ConnbytesMode]("--connbytes-mode", connbytesModes)),
		option.Field("--connbytes-dir", func(m *Connbytes) *ConnbytesDirection { return &m.Dir }, oneOf[ConnbytesDirection]("--connbytes-dir", connbytesDirs)),
	},
	Check: func(m *Connbytes, _ option.Context) error { return m.check() },
	List: func(m Connbytes, _ *option.Lister) string {
		n, not, _ := m.Count.Get()
		return blank(not) + "connbytes " + n.String() + " connbytes mode " + connbytesModes[m.Of-1] + " connbytes direction " + connbytesDirs[m.Dir-1]
	},
	XT: option.XTStruct(option.XT[Connbytes]{Inet: true}, 0, Connbytes.blob, readConnbytes),
}

// countRange is a codec for "from[:to]".
var countRange = option.Codec[Counts]{
	Want: "from[:to]",
	Parse: func(w string, _ option.Context) (Counts, error) {
		lo, hi, err := parseRange(w, math.MaxUint64)
		c := Counts{lo, hi}
		if !strings.Contains(w, ":") {
			c.Max = math.MaxUint64
		}
		if err == nil {
			err = c.Err()
		}
		return c, err
	},
	Print: func(c Counts, _ nf.Family) string { return c.String() },
}

// oneOf is a codec for a word of three; the first is 1.
func oneOf[V ~uint8](name string, words [3]string) option.Codec[V] {
	return option.Codec[V]{
		Want: strings.Join(words[:], ", "),
		Parse: func(w string, _ option.Context) (V, error) {
			for i, word := range words {
				if word == w {
					return V(i + 1), nil
				}
			}
			return 0, fmt.Errorf("Unknown %s `%s'", name, w)
		},
		Print: func(v V, _ nf.Family) string { return words[v-1] },
	}
}

func (m *Connbytes) check() error {
	n, not, _ := m.Count.Get()
	switch {
	case m.Dir == 0 || int(m.Dir) > len(connbytesDirs):
		return errors.New(`option "--connbytes-dir" must be specified`)
	case m.Of == 0 || int(m.Of) > len(connbytesModes):
		return errors.New(`option "--connbytes-mode" must be specified`)
	case not && n.Min == n.Max:
		return fmt.Errorf("the kernel has no form of \"not %d\"", n.Min)
	}
	return mandatory("--connbytes", m.Count)
}

// Compile is the kernel's own match.
func (m Connbytes) Compile(c *program.Code) error { return connbytes.Kernel(c, m) }

// blob has the bounds the other way round where they are inverted.
func (m Connbytes) blob(program.Env) xtables.Connbytes {
	n, not, _ := m.Count.Get()
	b := xtables.Connbytes{From: n.Min, To: n.Max, What: uint8(m.Of - 1), Direction: uint8(m.Dir - 1)}
	if not {
		b.From, b.To = n.Max, n.Min
	}
	return b
}

func readConnbytes(b xtables.Connbytes, _ program.Env) (m Connbytes, ok bool) {
	if b.What > xtables.ConnbytesAverage || b.Direction > xtables.ConnbytesBoth {
		return m, false
	}
	m = Connbytes{Of: ConnbytesMode(b.What + 1), Dir: ConnbytesDirection(b.Direction + 1)}
	m.Count = isOrNot(b.From > b.To, Counts{min(b.From, b.To), max(b.From, b.To)})
	return m, m.check() == nil
}
