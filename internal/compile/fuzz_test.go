package compile

import (
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// names are the expressions that a fuzzed program is made of; behind them comes a
// lookup in a set of the rule's own.
var names = [...]string{
	"payload", "meta", "ct", "cmp", "range", "bitwise", "byteorder", "lookup", "immediate", "counter", "limit",
	"quota", "log", "reject", "nat", "masq", "redir", "fib", "exthdr", "notrack", "match", "target", "numgen", "none",
}

// decoded makes expressions of bytes: for each its name's number, the length of
// its data in two bytes, and the data.
func decoded(b string) []program.Expr {
	var raws []program.Raw
	lists := map[int]program.Lookup{}
	for len(b) >= 3 {
		kind, n := int(b[0])%(len(names)+1), min(int(b[1])<<8|int(b[2]), len(b)-3)
		data := b[3 : 3+n]
		b = b[3+n:]
		if kind < len(names) {
			raws = append(raws, program.Raw{Name: names[kind], Data: data})
			continue
		}
		if n == 0 {
			continue
		}
		c := program.ConstSet{Type: program.TypeService, Len: 2, Interval: data[0]&1 != 0, Elems: data[1:]}
		lists[len(raws)] = program.Lookup{Const: c, Reg: 1, Not: data[0]&2 != 0}
		raws = append(raws, program.Raw{Name: "none"})
	}
	exprs := wire.DecodeExprs(raws)
	for i, l := range lists {
		exprs[i] = l
	}
	return exprs
}

// encoded is the inverse of decoded.
func encoded(t testing.TB, exprs []program.Expr) string {
	out := ""
	for _, e := range exprs {
		if l, ok := e.(program.Lookup); ok && l.Name == "" {
			flags := byte(0)
			if l.Const.Interval {
				flags |= 1
			}
			if l.Not {
				flags |= 2
			}
			out += string([]byte{byte(len(names)), 0, byte(1 + len(l.Const.Elems)), flags}) + l.Const.Elems
			continue
		}
		name, data, err := wire.EncodeExpr(e)
		if err != nil || len(data) > 0xffff {
			t.Fatalf("%v: %d bytes, %v", e, len(data), err)
		}
		for i, n := range names {
			if n == name {
				out += string([]byte{byte(i), byte(len(data) >> 8), byte(len(data))}) + data
			}
		}
	}
	return out
}

var fuzzedTables = [...]string{"filter", "nat", "mangle", "raw", "security"}

// FuzzReadRule: whatever program a rule has, it is read, and either compiles to
// that program again, or to what nft had made of ours, or is opaque.
func FuzzReadRule(f *testing.F) {
	families := [...]program.Family{program.IP, program.IP6, program.Inet}
	for i, text := range [...]string{
		"-s 10.0.0.1/32 -p tcp -m tcp --dport 22 -j ACCEPT",
		"! -s 10.0.0.0/12 -i eth+ ! -o lo -p udp -m udp ! --sport 5 ! --dport 6:9 -j DROP",
		"-p tcp -m multiport --dports 25,80 -m multiport ! --sports 1:5,7 -j RETURN",
		"-p tcp -m tcp --tcp-flags SYN,RST SYN -m comment --comment \"a b\" -j log",
		"-m conntrack --ctstate NEW,ESTABLISHED -m limit --limit 3/sec -j LOG --log-prefix x",
		"-m mark --mark 0x1/0xff -m connmark ! --mark 5 -g x.y",
		"-p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.2:8080",
		"-p udp -j SNAT --to-source 10.0.0.2-10.0.0.9:1000-2000 --random",
		"-p icmp -m icmp --icmp-type 8 -m length --length 10:20 -j REJECT --reject-with icmp-host-prohibited",
		"-m statistic --mode nth --every 3 --packet 1 -m owner --uid-owner 0-99 -j MARK --set-xmark 0x1/0xff",
		"-m addrtype ! --dst-type LOCAL -m pkttype --pkt-type multicast -m ttl --ttl-lt 5 -j MASQUERADE",
		"-f -m iprange --src-range 10.0.0.1-10.0.0.5 -m mac --mac-source 02:00:00:00:00:01 -j CONNMARK --save-mark",
	} {
		r, err := rule.Parse(text, nf.IPv4)
		if err != nil {
			f.Fatal(err)
		}
		for k := range families {
			env := program.Env{Family: families[k], Table: fuzzedTables[i%len(fuzzedTables)]}
			for _, plain := range [...]byte{0, 0x80} {
				env.Plain = plain != 0
				if p, err := Rule(r, env, true, 0); err == nil {
					f.Add(byte(k), byte(i)|plain, p.UserData, encoded(f, p.Exprs))
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, family, tab byte, text, exprs string) {
		env := program.Env{
			Family: families[int(family)%len(families)],
			Table:  fuzzedTables[int(tab)%len(fuzzedTables)],
			Plain:  tab&0x80 != 0,
		}
		p := &program.Rule{Exprs: decoded(exprs), UserData: text}
		var x ruleReader
		r, ud, _ := x.rule(p, env)
		_ = r.String()
		_, counted := p.Counts()
		if r.Opaque() {
			_, _ = Rule(r, env, counted, ud.After)
			return
		}
		if r.Err() != nil {
			t.Fatalf("%v: %v", r, r.Err())
		}
		again, err := Rule(r, env, counted, 0)
		if err != nil {
			t.Fatalf("%v: %v", r, err)
		}
		if env.Plain && x.otherwise {
			return // it is kept as it is, not written anew
		}
		again.UserData = p.UserData
		q := &program.Rule{Exprs: ordered(p.Exprs, env), UserData: p.UserData}
		if !again.Same(p) && !again.Same(q) {
			t.Fatalf("%v is\n%sand was\n%s", r, program.Dump(again.Exprs), program.Dump(p.Exprs))
		}
	})
}
