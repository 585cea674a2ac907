package difftest

import (
	"math/rand/v2"
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// Generator makes lines at random. Two of the same seed make the same lines. It
// is not for several goroutines.
type Generator struct {
	rnd     *rand.Rand
	family  nf.Family
	matches []option.Extension
	targets []option.Extension
}

// New is a generator of rules out of all matches and targets that iptables has.
func New(seed uint64) *Generator {
	return &Generator{
		rnd:     rand.New(rand.NewPCG(seed, 0)),
		matches: theirs(match.All()),
		targets: theirs(target.All()),
	}
}

// theirs leaves out what iptables has no name for.
func theirs(all []option.Extension) (out []option.Extension) {
	for _, e := range all {
		if !slices.Contains([]string{"nft", "xt", "NFT", "XT", "own"}, e.ExtName()) {
			out = append(out, e)
		}
	}
	return out
}

// Line makes a line. Half of all are changed in a place or two after they were
// made; of those that we refuse one in four is left.
func (g *Generator) Line() Line {
	for {
		l := g.draw()
		if g.rnd.IntN(4) == 0 {
			return l
		}
		if _, err := Ours(l); err == nil {
			return l
		}
	}
}

func (g *Generator) draw() Line {
	g.family = [...]nf.Family{nf.IPv4, nf.IPv6}[g.rnd.IntN(2)]
	d := draft{g: g, context: option.Context{Family: g.family}}
	d.place()
	ps := d.pieces()
	for range [...]int{0, 0, 0, 1, 1, 2}[g.rnd.IntN(6)] {
		ps = g.mutate(ps)
	}
	return Line{Family: g.family, Table: d.table, Chain: d.chain, Text: render(ps)}
}

// draft is a line in the making.
type draft struct {
	g            *Generator
	context      option.Context
	matches      []option.Extension
	target       option.Extension // nil: a verdict, a chain or nothing
	tables, from []string         // those that suit them; nil: all
	table, chain string
}

// tables are weighted by how often they are used.
var tables = [...]string{"filter", "filter", "filter", "mangle", "mangle", "nat", "raw", "security"}

// chains are the built-in chains of the tables.
var chains = map[string][]string{
	"filter":   {"INPUT", "FORWARD", "OUTPUT"},
	"nat":      {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"},
	"mangle":   {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"},
	"raw":      {"PREROUTING", "OUTPUT"},
	"security": {"INPUT", "FORWARD", "OUTPUT"},
}

// place chooses extensions, and a protocol, table and chain that suit them; one
// extension in fifty need not suit the others.
func (d *draft) place() {
	g := d.g
	if g.rnd.IntN(5) < 3 {
		if e := g.targets[g.rnd.IntN(len(g.targets))]; d.suits(e) {
			d.target = e
		}
	}
	for range [...]int{0, 1, 1, 1, 2, 3}[g.rnd.IntN(6)] {
		if e := g.matches[g.rnd.IntN(len(g.matches))]; d.suits(e) {
			d.matches = append(d.matches, e)
		}
	}
	if d.tables == nil {
		d.tables = tables[:]
	}
	d.table = d.tables[g.rnd.IntN(len(d.tables))]
	fit := slices.DeleteFunc(slices.Clone(chains[d.table]), func(c string) bool { return d.from != nil && !slices.Contains(d.from, c) })
	if len(fit) == 0 || g.rnd.IntN(30) == 0 {
		fit = chains[d.table]
	}
	if d.chain = fit[g.rnd.IntN(len(fit))]; g.rnd.IntN(4) == 0 {
		d.chain = UserChain
	}
	if d.context.Proto == 0 {
		d.context.Proto = [...]nf.Protocol{0, 0, 0, nf.TCP, nf.TCP, nf.UDP, nf.SCTP, nf.ICMP, nf.ICMPv6, nf.Protocol(g.rnd.IntN(256))}[g.rnd.IntN(10)]
	}
}

// suits says whether an extension goes with those before it, and narrows down
// where the line may be.
func (d *draft) suits(e option.Extension) bool {
	careless := d.g.rnd.IntN(50) == 0
	if !e.Known(d.g.family) {
		return careless
	}
	n := e.NeedsOf(e.Start(d.context).Value())
	in, okTables := narrow(d.tables, n.Tables)
	from, okChains := narrow(d.from, n.Chains)
	if n.Protos != nil && d.context.Proto == 0 {
		d.context.Proto = n.Protos[d.g.rnd.IntN(len(n.Protos))]
	}
	if !okTables || !okChains || n.Protos != nil && !slices.Contains(n.Protos, d.context.Proto) {
		return careless
	}
	d.tables, d.from = in, from
	return true
}

// narrow is what is in both lists, of which nil has everything.
func narrow(a, b []string) (both []string, ok bool) {
	if a == nil || b == nil {
		return append(a, b...), true
	}
	for _, s := range a {
		if slices.Contains(b, s) {
			both = append(both, s)
		}
	}
	return both, both != nil
}

// pieces writes the line.
func (d *draft) pieces() []piece {
	ps := d.header()
	for _, e := range d.matches {
		ps = append(ps, d.extension(e, "-m")...)
	}
	g := d.g
	if d.target != nil {
		if d.target.ExtName() == "TCPMSS" && g.rnd.IntN(8) > 0 {
			ps = append(ps, piece{name: "-m", words: []string{"tcp"}}, piece{ext: "tcp", name: "--syn"})
		}
		return append(ps, d.extension(d.target, "-j")...)
	}
	leaf := LeafChains[g.rnd.IntN(len(LeafChains))]
	switch g.rnd.IntN(8) {
	case 0:
	case 1:
		ps = append(ps, piece{name: "-g", words: []string{leaf}})
	case 2:
		ps = append(ps, piece{name: "-j", words: []string{leaf}})
	case 3:
		ps = append(ps, piece{name: "-j", words: []string{one("DROP", "DROP", "RETURN", "QUEUE", "MISSING", "INPUT", "accept", UserChain)(g)}})
	default:
		ps = append(ps, piece{name: "-j", words: []string{one("ACCEPT", "ACCEPT", "RETURN")(g)}})
	}
	return ps
}

// tries is how often an extension's options are drawn until they are good.
const tries = 40

// extension writes one extension with some of its options, mostly such as we
// accept; one draw in eight is taken as it is.
func (d *draft) extension(e option.Extension, how string) (ps []piece) {
	for i := range tries {
		ps = append(ps[:0], piece{name: how, words: []string{e.ExtName()}})
		ps = append(ps, d.options(e)...)
		if i == 0 && d.g.rnd.IntN(8) == 0 || d.good(ps) {
			break
		}
	}
	return ps
}

// good says whether we accept an extension's options in a rule of their own.
func (d *draft) good(ps []piece) bool {
	var head []piece
	if d.context.Proto != 0 {
		head = []piece{{name: "-p", words: []string{d.context.Proto.String()}}}
	}
	_, err := rule.ParseLine(render(append(head, ps...)), d.context.Family)
	return err == nil
}

// options draws options of an extension, each with its words.
func (d *draft) options(e option.Extension) (ps []piece) {
	all := e.Options()
	if len(all) == 0 {
		return nil
	}
	g := d.g
	n := min(len(all), [...]int{1, 1, 1, 2, 2, 3, 4, len(all)}[g.rnd.IntN(8)])
	if len(all) > 1 && g.rnd.IntN(10) == 0 {
		n = 0
	}
	for _, i := range g.rnd.Perm(len(all))[:n] {
		o := all[i]
		p := piece{ext: e.ExtName(), name: o.Name}
		if len(o.Aliases) > 0 && g.rnd.IntN(3) == 0 {
			p.name = o.Aliases[g.rnd.IntN(len(o.Aliases))]
		}
		p.not = o.Invert && g.rnd.IntN(3) == 0
		args := o.Args
		if o.Optional {
			args = g.rnd.IntN(2)
		}
		for n := range args {
			if v, ok := valueOf(e.ExtName(), o, n); ok {
				p.words = append(p.words, v(g))
			}
		}
		ps = append(ps, p)
	}
	return ps
}

// header draws what stands before the matches.
func (d *draft) header() (ps []piece) {
	g := d.g
	add := func(one bool, not bool, name string, words ...string) {
		if one {
			ps = append(ps, piece{not: not, name: name, words: words})
		}
	}
	not := func() bool { return g.rnd.IntN(4) == 0 }
	add(g.rnd.IntN(6) == 0, not(), g.long("-s", "--source", "--src"), sources(g))
	add(g.rnd.IntN(6) == 0, not(), g.long("-d", "--destination", "--dst"), sources(g))
	in := d.chain != "OUTPUT" && d.chain != "POSTROUTING"
	out := d.chain != "INPUT" && d.chain != "PREROUTING"
	add(in && g.rnd.IntN(8) == 0 || g.rnd.IntN(200) == 0, not(), g.long("-i", "--in-interface"), iface(g))
	add(out && g.rnd.IntN(8) == 0 || g.rnd.IntN(200) == 0, not(), g.long("-o", "--out-interface"), iface(g))
	add(g.family == nf.IPv4 && g.rnd.IntN(20) == 0 || g.rnd.IntN(300) == 0, not(), g.long("-f", "--fragment"))
	if p := d.context.Proto; p != 0 {
		add(true, g.rnd.IntN(40) == 0, g.long("-p", "--protocol", "--proto"), p.String())
	}
	if g.rnd.IntN(12) == 0 {
		count := number(0, 1<<64-1)
		if g.rnd.IntN(3) == 0 {
			add(true, false, g.long("-c", "--set-counters"), both(count, ",", count)(g))
		} else {
			add(true, false, g.long("-c", "--set-counters"), count(g), count(g))
		}
	}
	g.rnd.Shuffle(len(ps), func(i, j int) { ps[i], ps[j] = ps[j], ps[i] })
	return ps
}

// long is a short name, or one of its long ones.
func (g *Generator) long(short string, longs ...string) string {
	if g.rnd.IntN(4) > 0 {
		return short
	}
	return longs[g.rnd.IntN(len(longs))]
}

// sources is what -s takes, rarely a list.
func sources(g *Generator) string {
	if g.rnd.IntN(12) == 0 {
		return list(network, 4)(g)
	}
	return network(g)
}

var iface = one("lo", "eth0", "eth+", "+", "wlan0.1", "br-lan", "0123456789abcde", "0123456789abcdef", "a/b", "lo:1", "x y", "e+h", "-x", "eth*", "")
