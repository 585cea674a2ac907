package rule

import (
	"slices"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
)

// named is the option that a word names: iptables' own, or an extension's.
type named struct {
	header *header // nil: an extension's
	ext    option.Instance
	option option.Option
}

// words is how many words follow the option.
func (o named) words() int {
	if o.header != nil {
		return o.header.args
	}
	return o.option.Args
}

// find finds the option that a word names, of iptables itself, of an extension
// that was named before it or of the match that -p brings with it. A long one
// may be cut short as long as it can be no other, as getopt_long has it; the
// command's own options count, whether a rule may have them or not.
func (p *parser) find(name string) (o named, ok bool) {
	if o.header = headerOption(name); o.header != nil {
		return o, true
	}
	if !strings.HasPrefix(name, "--") || len(name) == 2 {
		return o, false
	}
	if o, ok = p.among(name); !ok && p.imply() != nil {
		o, ok = p.among(name)
	}
	return o, ok
}

// among finds a long option, of the match named last first. There iptables
// differs where two matches share an option, mark's and connmark's --mark: of
// "-m mark -m connmark -m mark" it gives the third match's to connmark, and so
// cannot restore what it saves.
func (p *parser) among(name string) (o named, ok bool) {
	for i := len(p.order) - 1; i >= 0; i-- {
		in := p.order[i].inst
		opt, ok := in.Option(name)
		if ok && (opt.Name == name || slices.Contains(opt.Aliases, name)) {
			return named{ext: in, option: opt}, true
		}
		if ok && o.ext == nil {
			o.ext, o.option = in, opt
		}
	}
	h, n := headersBegin(name)
	for i, l := range p.order {
		if !slices.ContainsFunc(p.order[:i], func(m loaded) bool { return m.ext == l.ext }) { // a second -m icmp adds no options
			n += l.inst.Begin(name)
		}
	}
	if h != nil {
		o = named{header: h}
	}
	return o, n == 1 && (h != nil || o.ext != nil)
}
