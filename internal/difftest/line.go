package difftest

import (
	"strings"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Line is one generated rule and where it is to stand.
type Line struct {
	Family nf.Family // IPv4 or IPv6: whose command reads it
	Table  string    // "filter"
	Chain  string    // a built-in chain of the table, or UserChain
	Text   string    // what stands behind "-A CHAIN"
}

// UserChain is the user chain that lines stand in; no rule goes there.
const UserChain = "user"

// LeafChains are the chains that lines may go to, all empty. Their names are
// such as iptables takes.
var LeafChains = [...]string{"leaf", "KUBE-SVC:x", "a/b.c@d", "log", "0123456789012345678901234567"}

// String is the line as iptables-restore reads it, with its family and table.
func (l Line) String() string {
	command := "iptables"
	if l.Family == nf.IPv6 {
		command = "ip6tables"
	}
	return command + " -t " + l.Table + " -A " + l.Chain + " " + l.Text
}

// ParseLine reads what String writes; ok is false where that is not it.
func ParseLine(s string) (l Line, ok bool) {
	words := strings.SplitN(s+" ", " ", 6)
	if len(words) < 6 || words[1] != "-t" || words[3] != "-A" {
		return l, false
	}
	switch words[0] {
	case "iptables":
		l.Family = nf.IPv4
	case "ip6tables":
		l.Family = nf.IPv6
	default:
		return l, false
	}
	l.Table, l.Chain, l.Text = words[2], words[4], strings.TrimSuffix(words[5], " ")
	return l, true
}

// piece is one option with its words. The pieces of a rule are what is mutated.
type piece struct {
	ext   string // whose option it is; "": a header option, -m, -j or -g
	not   bool
	name  string
	words []string
	join  bool // --name=word, -nword
	raw   bool // words are written without quotes, whatever is in them
}

// render writes a rule as one line.
func render(ps []piece) string {
	var b strings.Builder
	put := func(w string) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w)
	}
	for _, p := range ps {
		if p.not {
			put("!")
		}
		words := p.words
		quote := quoteWord
		if p.raw {
			quote = func(s string) string { return s }
		}
		switch {
		case p.name == "":
		case p.join && len(words) > 0 && strings.HasPrefix(p.name, "--"):
			put(quote(p.name + "=" + words[0]))
			words = words[1:]
		case p.join && len(words) > 0 && len(p.name) == 2:
			put(quote(p.name + words[0]))
			words = words[1:]
		default:
			put(p.name)
		}
		for _, w := range words {
			put(quote(w))
		}
	}
	return b.String()
}

// quoteWord writes a word so that iptables-restore reads it back: in double
// quotes where it has blanks or quotes in it, or nothing.
func quoteWord(w string) string {
	if w != "" && !strings.ContainsAny(w, " \t\"'\\") {
		return w
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(w) + `"`
}
