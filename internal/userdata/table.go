package userdata

import (
	"fmt"
	"strconv"
	"strings"
)

// Table is what a table says of itself.
type Table struct {
	Owner string // the program whose table it is
	Split bool   // half of a table for both families, which an inet table could not hold
}

// String is the userdata: a comment that nft prints and loads again, such as
// "gatehouse/1 mailhost".
func (t Table) String() string {
	s := fmt.Sprintf("gatehouse/%d %s", Version, t.Owner)
	if t.Split {
		s += " both"
	}
	return withComment(s)
}

// DecodeTable reads a table's userdata. ok is false for a table that is not
// Gatehouse's; the error is ErrNewer where a newer release made it.
func DecodeTable(b string) (t Table, ok bool, err error) {
	rest, ok := strings.CutPrefix(comment(b), "gatehouse/")
	if !ok {
		return t, false, nil
	}
	version, rest, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(version)
	if err != nil {
		return t, false, nil
	}
	owner, more, _ := strings.Cut(rest, " ")
	t = Table{Owner: owner, Split: more == "both"}
	if n > Version {
		return t, true, ErrNewer
	}
	return t, true, nil
}
