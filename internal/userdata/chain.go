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
	Page int    // its number, which never changes; the order is the spine's
}

// String is the userdata; "" for a chain that has nothing to say.
func (c Chain) String() string {
	switch {
	case c.Of != "":
		return withComment("page " + strconv.Itoa(c.Page) + " of " + c.Of)
	case c.Name != "":
		return withComment("name " + url.PathEscape(c.Name))
	}
	return ""
}

// DecodeChain reads a chain's userdata; what is not ours says nothing.
func DecodeChain(b string) Chain {
	words := strings.Fields(comment(b))
	switch {
	case len(words) == 2 && words[0] == "name":
		if name, err := url.PathUnescape(words[1]); err == nil {
			return Chain{Name: name}
		}
	case len(words) == 4 && words[0] == "page" && words[2] == "of":
		if n, err := strconv.Atoi(words[1]); err == nil {
			return Chain{Page: n, Of: words[3]}
		}
	}
	return Chain{}
}
