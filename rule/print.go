package rule

import (
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// String is the rule as iptables-save prints it behind "-A CHAIN": Parse reads
// it back. The zero value is "". A rule with an error prints as far as it goes.
func (r Rule) String() string {
	var room [128]byte // what most rules need
	b := room[:0]
	for _, m := range r.matches {
		if h, ok := m.(match.Header); ok {
			b = appendWord(b, h.Text())
			continue
		}
		e := match.Extension(m)
		b = appendWord(b, "-m")
		b = appendWord(b, e.ExtName())
		b = appendWord(b, e.Text(m, r.family))
	}
	switch t := r.Target().(type) {
	case target.Goto:
		b = appendWord(b, "-g")
		b = appendWord(b, string(t))
	default:
		if t.Name() == "" {
			break
		}
		b = appendWord(b, "-j")
		b = appendWord(b, t.Name())
		if e := target.Extension(t); e != nil {
			b = appendWord(b, e.Text(t, r.family))
		}
	}
	return string(b)
}

// appendWord appends a word to a line.
func appendWord(b []byte, s string) []byte {
	if s == "" {
		return b
	}
	if len(b) > 0 {
		b = append(b, ' ')
	}
	return append(b, s...)
}
