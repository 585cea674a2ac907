package userdata

import (
	"net/url"
	"strconv"
	"strings"
)

// Chain is what a chain says of itself.
type Chain struct {
	Name string // the true name, where the kernel's had to be spelled otherwise
	Of   string // the chain whose page it is, as the kernel spells it; "": no page
	Keep bool   // it was made for an administrator, whom it belongs to
	Page int    // its number, which never changes; the order is the spine's

	Try  string // the chain that it is the new form of, on probation, as the kernel spells it; "": none
	Part string // of Try: which part; "": the chain itself
}

// String is the userdata; "" for a chain that has nothing to say.
func (c Chain) String() string {
	switch {
	case c.Of != "":
		return withComment("page " + strconv.Itoa(c.Page) + " of " + c.Of)
	case c.Try != "":
		words := "try" + c.Part + " " + c.Try
		if c.Name != "" {
			words += " name " + url.PathEscape(c.Name)
		}
		return withComment(words)
	case c.Keep && c.Name != "":
		return withComment(chainKeep + " name " + url.PathEscape(c.Name))
	case c.Keep:
		return withComment(chainKeep)
	case c.Name != "":
		return withComment("name " + url.PathEscape(c.Name))
	}
	return ""
}

// chainKeep is what an administrator's chain says.
const chainKeep = "keep"

// DecodeChain reads a chain's userdata; what is not ours says nothing.
func DecodeChain(b string) Chain {
	words := strings.Fields(comment(b))
	keep := len(words) > 0 && words[0] == chainKeep
	if keep {
		words = words[1:]
	}
	switch {
	case len(words) == 2 && words[0] == "name":
		if name, err := url.PathUnescape(words[1]); err == nil {
			return Chain{Name: name, Keep: keep}
		}
	case keep:
		return Chain{Keep: len(words) == 0}
	case (len(words) == 2 || len(words) == 4 && words[2] == "name") && strings.HasPrefix(words[0], "try"):
		c := Chain{Try: words[1], Part: strings.TrimPrefix(words[0], "try")}
		if len(words) == 2 {
			return c
		}
		if name, err := url.PathUnescape(words[3]); err == nil {
			c.Name = name
			return c
		}
	case len(words) == 4 && words[0] == "page" && words[2] == "of":
		if n, err := strconv.Atoi(words[1]); err == nil {
			return Chain{Page: n, Of: words[3]}
		}
	}
	return Chain{}
}

// What the rule that leads to a chain on probation says, to people too: iptables-nft
// lists it without its condition. The second is where the chain that it is in was
// made for it.
const (
	switchOld = "on probation"
	switchNew = "only on probation"
)

// Switch is the userdata of a rule that leads to a chain on probation; fresh says
// that the base chain that it is in was made for it.
func Switch(fresh bool) string {
	if !fresh {
		return withComment(switchOld)
	}
	return withComment(switchNew)
}

// SwitchFresh says what Switch was told.
func SwitchFresh(b string) bool { return comment(b) == switchNew }
