package rule

import (
	"strings"

	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// String is the rule as iptables-save prints it behind "-A CHAIN": Parse reads
// it back. The zero value is "". A rule with an error prints as far as it goes.
func (r Rule) String() string {
	var b strings.Builder
	word := func(s string) {
		if s == "" {
			return
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(s)
	}
	for _, m := range r.matches {
		if h, ok := m.(match.Header); ok {
			word(h.Text())
			continue
		}
		e := match.Extension(m)
		word("-m")
		word(e.ExtName())
		word(e.Text(m, r.family))
	}
	switch t := r.Target().(type) {
	case target.Goto:
		word("-g")
		word(string(t))
	default:
		if t.Name() == "" {
			break
		}
		word("-j")
		word(t.Name())
		if e := target.Extension(t); e != nil {
			word(e.Text(t, r.family))
		}
	}
	return b.String()
}
