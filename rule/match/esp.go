package match

import (
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// ESP is -m esp: the IPsec encapsulation header. It implies -p esp. The zero
// value matches every such packet whose header is whole.
//
//	[!] --espspi spi[:spi]
//
// It is native: four bytes of the header, behind a guard that it is there (xt_esp
// looks at first fragments only, and drops a packet whose header is cut short,
// where we only do not match it). iptables-save loses "! --espspi 0:4294967295",
// which matches nothing; ours prints it. A range that runs backward, which could
// match nothing either, is refused. It mirrors net/netfilter/xt_esp.c.
type ESP struct {
	SPI Opt[Numbers] // --espspi
}

// Name is "esp".
func (ESP) Name() string { return esp.Name }

func (ESP) ext() option.Extension { return esp }

var esp = &option.Spec[ESP]{
	Name: "esp",
	Rows: []option.Row[ESP]{
		opt("--espspi", func(m *ESP) *Opt[Numbers] { return &m.SPI }, numbers),
	},
	Check: func(m *ESP, _ option.Context) error { return checkNumbers(&m.SPI) },
	Needs: func(ESP) option.Needs { return option.Needs{Protos: []nf.Protocol{nf.ESP}, Imply: nf.ESP} },
	List: func(m ESP, _ *option.Lister) string {
		if m.SPI.Given() {
			return "esp " + listNumbers("spi", m.SPI)
		}
		return "esp"
	},
	Read: func(r *program.Reader) (m ESP, ok bool) {
		if r.Env.Proto != uint8(nf.ESP) || r.Env.ProtoNot || !readWhole(r, wholeESP) {
			return m, false
		}
		return ESP{readNumbers(r, espSPIField)}, true
	},
	XT: option.XTStruct(option.XT[ESP]{}, 0,
		func(m ESP, _ program.Env) (b xtables.ESP) {
			b.SPI, b.Invert = numbersBlob(m.SPI, 1)
			return b
		},
		func(b xtables.ESP, _ program.Env) (ESP, bool) {
			return ESP{readNumbersBlob(b.SPI, b.Invert != 0)}, b.Invert <= 1
		}),
}

// wholeESP is struct ip_esp_hdr.
const wholeESP = 8

var espSPIField = program.Payload{Base: program.Transport, Offset: 0, Len: 4}

// Compile compares the index.
func (m ESP) Compile(c *program.Code) error {
	c.Test(whole(wholeESP))
	if m.SPI.Given() {
		c.Test(numbersTest(espSPIField, m.SPI))
	}
	return nil
}
