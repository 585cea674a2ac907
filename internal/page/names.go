package page

import (
	"strconv"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
)

// names finds names for new pages.
type names struct {
	wanted map[string]bool // chains that are the caller's, or that its rules go to
	taken  map[string]bool // those, the host's chains, and the pages made so far
	last   map[string]int  // by chain: the number of its last new page
}

// newNames knows the names that are in use in both tables.
func newNames(t, old *program.Table) *names {
	n := &names{wanted: map[string]bool{}, taken: map[string]bool{}, last: map[string]int{}}
	want := func(name string) {
		n.wanted[name], n.taken[name] = true, true
	}
	for _, c := range t.Chains {
		want(c.Name)
		for _, r := range c.Rules {
			for name := range r.Jumps {
				want(name)
			}
		}
	}
	for _, s := range t.Sets {
		for _, e := range s.Elements {
			want(e.Verdict.Chain)
		}
	}
	if old != nil {
		for _, c := range old.Chains {
			n.taken[c.Name] = true
		}
	}
	return n
}

// next is a new page of a chain, with the lowest number whose name is free.
func (n *names) next(of string) *program.Chain {
	for {
		n.last[of]++
		p := userdata.Chain{Of: of, Page: n.last[of]}
		if name := pageName(p); !n.taken[name] {
			n.taken[name] = true
			return &program.Chain{Name: name, UserData: p.String()}
		}
	}
}

// Next is a new page of a chain that has pages, without rules, with the lowest number
// whose name is not taken.
func Next(of string, taken func(name string) bool) *program.Chain {
	for n := 1; ; n++ {
		p := userdata.Chain{Of: of, Page: n}
		if name := pageName(p); !taken(name) {
			return &program.Chain{Name: name, UserData: p.String()}
		}
	}
}

// maxComment is the longest comment that nft can load.
const maxComment = 128

// fit says whether a chain can have pages: whether a page can say whose it is.
func (n *names) fit(of string) bool {
	p := userdata.Chain{Of: of, Page: 999_999}
	s := p.String()
	return len(s) <= maxComment && userdata.DecodeChain(s) == p
}

// pageName is "INPUT.p3": letters, digits and / - _ . behind a letter or _ or .,
// which is what nft's grammar takes for a name. ".p3" makes a keyword (log,
// drop) another word.
func pageName(p userdata.Chain) string {
	name := strings.Map(func(r rune) rune {
		if letter(r) || r >= '0' && r <= '9' || strings.ContainsRune("/-_.", r) {
			return r
		}
		return '_'
	}, p.Of)
	if name == "" || !letter(rune(name[0])) && name[0] != '_' && name[0] != '.' {
		name = "_" + name
	}
	return name + ".p" + strconv.Itoa(p.Page)
}

func letter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
