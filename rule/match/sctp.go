package match

import (
	"errors"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// SCTP is -m sctp. It implies -p sctp. The zero value matches every SCTP packet
// whose header is whole.
//
//	[!] --sport port[:port]  [!] --dport port[:port]
//	[!] --chunk-types all|any|only chunk[:flags][,chunk[:flags]…]
//
// Ports are native, behind a guard that the header is there: xt_sctp looks at
// first fragments only, and drops a packet whose header is cut short, where we
// only do not match it. Chunks are the kernel's own xt match, which ip and ip6
// tables have and inet tables have not. It mirrors net/netfilter/xt_sctp.c.
type SCTP struct {
	Sport  Opt[nf.Ports]   // --sport
	Dport  Opt[nf.Ports]   // --dport
	Chunks Opt[SCTPChunks] // --chunk-types
}

// Name is "sctp".
func (SCTP) Name() string { return sctp.Name }

func (SCTP) ext() option.Extension { return sctp }

var sctp = &option.Spec[SCTP]{
	Name: "sctp",
	Rows: []option.Row[SCTP]{
		opt("--sport", func(m *SCTP) *Opt[nf.Ports] { return &m.Sport }, option.Ports, "--source-port"),
		opt("--dport", func(m *SCTP) *Opt[nf.Ports] { return &m.Dport }, option.Ports, "--destination-port"),
		{
			Name: "--chunk-types", Args: 2, Invert: true, Want: "all, any or only, and a list of chunks",
			Set: func(m *SCTP, not bool, words []string, _ option.Context) error {
				chunks, err := parseChunks(words[0], words[1])
				m.Chunks = isOrNot(not, chunks)
				return err
			},
			Get: func(m *SCTP, _ nf.Family) (bool, string, bool) {
				chunks, not, ok := m.Chunks.Get()
				return not, chunks.String(), ok
			},
		},
	},
	Check: func(m *SCTP, _ option.Context) error {
		return errors.Join(valid(m.Sport), valid(m.Dport), valid(m.Chunks))
	},
	Needs: func(SCTP) option.Needs { return option.Needs{Protos: []nf.Protocol{nf.SCTP}, Imply: nf.SCTP} },
	List:  listSCTP,
	Read: func(r *program.Reader) (m SCTP, ok bool) {
		if r.Env.Proto != uint8(nf.SCTP) || r.Env.ProtoNot || !readWhole(r, wholeSCTP) {
			return m, false
		}
		m.Sport, m.Dport = readPortPair(r)
		return m, true
	},
	XT: option.XTStruct(option.XT[SCTP]{}, 0, SCTP.blob, readSCTPBlob),
}

// wholeSCTP is struct sctphdr.
const wholeSCTP = 12

// Compile compares the ports, or leaves all of it to xt_sctp.
func (m SCTP) Compile(c *program.Code) error {
	if m.Chunks.Given() {
		return sctp.Kernel(c, m)
	}
	c.Test(whole(wholeSCTP))
	testPortPair(c, m.Sport, m.Dport)
	return nil
}

func (m SCTP) blob(program.Env) (b xtables.SCTP) {
	add := func(given, not bool, bit uint32) {
		b.What |= bitIf(given, bit)
		b.Invert |= bitIf(not, bit)
	}
	add(m.Sport.ok, m.Sport.not, xtables.SCTPSport)
	add(m.Dport.ok, m.Dport.not, xtables.SCTPDport)
	add(m.Chunks.ok, m.Chunks.not, xtables.SCTPChunks)
	b.Sport[0], b.Sport[1], _ = m.Sport.v.Bounds()
	b.Dport[0], b.Dport[1], _ = m.Dport.v.Bounds()
	m.Chunks.v.blob(&b)
	return b
}

func readSCTPBlob(b xtables.SCTP, env program.Env) (m SCTP, ok bool) {
	if b.What&xtables.SCTPSport != 0 {
		m.Sport = isOrNot(b.Invert&xtables.SCTPSport != 0, nf.PortRange(b.Sport[0], b.Sport[1]))
	}
	if b.What&xtables.SCTPDport != 0 {
		m.Dport = isOrNot(b.Invert&xtables.SCTPDport != 0, nf.PortRange(b.Dport[0], b.Dport[1]))
	}
	if b.What&xtables.SCTPChunks != 0 {
		chunks, ok := readChunksBlob(&b)
		if !ok {
			return m, false
		}
		m.Chunks = isOrNot(b.Invert&xtables.SCTPChunks != 0, chunks)
	}
	return m, m.blob(env) == b
}

func listSCTP(m SCTP, l *option.Lister) string {
	words := append([]string{"sctp"}, listGivenPorts(m.Sport, m.Dport, l, nf.SCTP)...)
	if chunks, not, ok := m.Chunks.Get(); ok {
		if not {
			words = append(words, "!")
		}
		words = append(words, chunks.format(l.Numeric()))
	}
	return strings.Join(words, " ")
}
