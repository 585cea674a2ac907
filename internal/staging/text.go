package staging

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// The first word of a line: what it names.
const (
	wordTable  = "table"
	wordChain  = "chain"
	wordSet    = "set"
	wordRename = "rename" // pairs: the name now, the name before
)

// lineLen is the longest comment that nft loads, but for a single long name.
const lineLen = 128

// lines is the list as text: "chain ip mailhost-filter INPUT.p1 INPUT.p2". Words
// are escaped as in URLs, so that none has a blank or a quote.
func (l List) lines() []string {
	var out []string
	for _, key := range slices.SortedFunc(maps.Keys(l.Tables), compareKeys) {
		out = append(out, head(wordTable, key))
	}
	out = append(out, lines(wordChain, slices.SortedFunc(maps.Keys(l.Chains), compareKeys), nil)...)
	out = append(out, lines(wordSet, slices.SortedFunc(maps.Keys(l.Sets), compareKeys), nil)...)
	return append(out, lines(wordRename, slices.SortedFunc(maps.Keys(l.Renamed), compareKeys), l.Renamed)...)
}

func head(word string, key Key) string {
	return word + " " + key.Family.String() + " " + url.PathEscape(key.Table)
}

// lines puts names that belong to one table into as few lines as can be.
func lines(word string, keys []Key, to map[Key]string) []string {
	var out []string
	last := ""
	for _, key := range keys {
		begin, name := head(word, key), " "+url.PathEscape(key.Name)
		if was, ok := to[key]; ok {
			name += " " + url.PathEscape(was)
		}
		if n := len(out) - 1; begin == last && len(out[n])+len(name) <= lineLen {
			out[n] += name
			continue
		}
		out, last = append(out, begin+name), begin
	}
	return out
}

// parse reads a line; what is none names nothing.
func (l List) parse(line string) {
	words := strings.Fields(line)
	if len(words) < 3 {
		return
	}
	for i, w := range words {
		s, err := url.PathUnescape(w)
		if err != nil {
			return
		}
		words[i] = s
	}
	f, ok := family(words[1])
	if !ok {
		return
	}
	key := func(name string) Key { return Key{f, words[2], name} }
	names := words[3:]
	switch words[0] {
	case wordTable:
		l.Tables[key("")] = true
	case wordChain:
		for _, n := range names {
			l.Chains[key(n)] = true
		}
	case wordSet:
		for _, n := range names {
			l.Sets[key(n)] = true
		}
	case wordRename:
		for pair := range slices.Chunk(names, 2) {
			if len(pair) == 2 {
				l.Renamed[key(pair[0])] = pair[1]
			}
		}
	}
}

func family(word string) (program.Family, bool) {
	for _, f := range [...]program.Family{program.IP, program.IP6, program.Inet} {
		if f.String() == word {
			return f, true
		}
	}
	return 0, false
}
