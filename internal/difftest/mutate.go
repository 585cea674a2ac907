package difftest

import (
	"slices"
	"strconv"
	"strings"
)

// mutate changes one thing about a rule: the kind of mistake, or of freedom,
// that people take.
func (g *Generator) mutate(ps []piece) []piece {
	if len(ps) == 0 {
		return ps
	}
	i := g.rnd.IntN(len(ps))
	ps = slices.Clone(ps)
	p := &ps[i]
	p.words = slices.Clone(p.words)
	switch g.rnd.IntN(24) {
	case 0: // twice
		return slices.Insert(ps, i, *p)
	case 1: // not at all
		return slices.Delete(ps, i, i+1)
	case 2: // without its last word
		if len(p.words) > 0 {
			p.words = p.words[:len(p.words)-1]
		}
	case 3, 4:
		p.not = !p.not
	case 5: // elsewhere
		j := g.rnd.IntN(len(ps))
		ps[i], ps[j] = ps[j], ps[i]
	case 6, 7, 8:
		p.name = g.shorten(p.name)
	case 9, 10:
		p.join = true
	case 11: // "--dport ! 22", as old versions had it
		if p.not && len(p.words) > 0 {
			p.not, p.words = false, append([]string{"!"}, p.words...)
		}
	case 12:
		p.words = append(p.words, one("x", "!", "", "22", "-", "--")(g))
	case 13:
		if len(p.words) > 0 {
			p.words[0], p.raw = `"`+p.words[0]+`"`, true
		}
	case 14:
		if p.name == "-m" && len(p.words) > 0 {
			p.words[0] = one("tcp", "udp", "icmpv6", "ipv6-icmp", "state", "standard", "nosuch", "TCP")(g)
		}
	case 15:
		if p.name == "-p" && len(p.words) > 0 {
			p.words[0] = protocol(g)
		}
	case 16: // implied by -p, or not
		if p.name == "-m" {
			return slices.Delete(ps, i, i+1)
		}
	default:
		if len(p.words) > 0 {
			j := g.rnd.IntN(len(p.words))
			p.words[j] = g.spoil(p.words[j])
		}
	}
	return ps
}

// shorten takes letters off the end of a long option.
func (g *Generator) shorten(name string) string {
	if !strings.HasPrefix(name, "--") || len(name) < 5 {
		return name
	}
	short := name[:len(name)-1-g.rnd.IntN(min(len(name)-4, 4+g.rnd.IntN(12)))]
	if short == "--help" || short == "--version" { // commands that do something else
		return name
	}
	return short
}

// spoil changes a word a little; often it stays good.
func (g *Generator) spoil(w string) string {
	if n, err := strconv.ParseUint(w, 0, 64); err == nil && g.rnd.IntN(4) > 0 {
		return g.spoilNumber(n)
	}
	at := g.rnd.IntN(len(w) + 1)
	switch g.rnd.IntN(12) {
	case 0:
		return ""
	case 1, 2:
		return w[:at] + one("!", ",", ":", "-", "/", "0", "x", " ", "=", "%", "+", "'", "\\", ".", "_", "[", "]")(g) + w[at:]
	case 3:
		return w[:at]
	case 4:
		return w[at:]
	case 5:
		return strings.ToUpper(w)
	case 6:
		return strings.ToLower(w)
	case 7:
		return w + "," + w
	case 8:
		return one(",", ":", "-", "/")(g) + w
	case 9:
		return w + one(",", ":", "-", "/", "/0", "/0xff", ":0", " ")(g)
	case 10:
		if a, b, ok := strings.Cut(w, ":"); ok {
			return b + ":" + a
		}
		if a, b, ok := strings.Cut(w, "-"); ok {
			return b + "-" + a
		}
	}
	return strings.Replace(w, "1", one("2", "0x1", "01", "1.", "999")(g), 1)
}

// spoilNumber writes another number, or the same one as few would.
func (g *Generator) spoilNumber(n uint64) string {
	s := strconv.FormatUint(n, 10)
	switch g.rnd.IntN(10) {
	case 0:
		return "0x" + strings.ToUpper(strconv.FormatUint(n, 16))
	case 1:
		return "0X" + strconv.FormatUint(n, 16)
	case 2:
		return "0" + strconv.FormatUint(n, 8)
	case 3:
		return one("+", "-", " ", "\t", "00", "0b", "0o")(g) + s
	case 4:
		return s + one(" ", "k", ".0", "e1", "_0", "u")(g)
	}
	return one("0", "1", "-1", "15", "16", "31", "32", "127", "128", "255", "256", "65534", "65535", "65536", "2147483647", "2147483648",
		"4294967294", "4294967295", "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551615",
		"18446744073709551616", "08", "0x", "0xg")(g)
}
