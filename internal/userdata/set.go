package userdata

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Set is what a set of one's own says of itself.
type Set struct {
	Name     string // the model's; "": the kernel's
	Key      string // what it holds: "net,port"
	Keep     bool   // its elements come and go by edits
	Disjoint bool   // it refuses elements that overlap
}

// The words of a set's comment.
const (
	setPrefix   = "gatehouse/"
	setType     = "hash:"
	setKeep     = "keep"
	setDisjoint = "disjoint"
	setName     = "name="
)

// Comment is the comment that says it, such as "gatehouse/1 hash:net keep". nft prints
// it and loads it again.
func (s Set) Comment() string {
	out := fmt.Sprintf("%s%d %s%s", setPrefix, Version, setType, s.Key)
	if s.Keep {
		out += " " + setKeep
	}
	if s.Disjoint {
		out += " " + setDisjoint
	}
	if s.Name != "" {
		out += " " + setName + url.PathEscape(s.Name)
	}
	return out
}

// ParseSet reads what Comment writes. ok is false for a set that is not Gatehouse's;
// the error is ErrNewer where a newer release made it.
func ParseSet(comment string) (s Set, ok bool, err error) {
	rest, ok := strings.CutPrefix(comment, setPrefix)
	if !ok {
		return s, false, nil
	}
	words := strings.Fields(rest)
	if len(words) < 2 {
		return s, false, nil
	}
	n, err := strconv.Atoi(words[0])
	key, isType := strings.CutPrefix(words[1], setType)
	if err != nil || !isType {
		return s, false, nil
	}
	s.Key = key
	for _, w := range words[2:] {
		name, named := strings.CutPrefix(w, setName)
		switch {
		case w == setKeep:
			s.Keep = true
		case w == setDisjoint:
			s.Disjoint = true
		case named:
			if s.Name, err = url.PathUnescape(name); err != nil {
				return Set{}, false, nil
			}
		}
	}
	if n > Version {
		return s, true, ErrNewer
	}
	return s, true, nil
}

// ElementComment is the userdata of an element with a comment, as nft has it; ""
// for none.
func ElementComment(text string) string {
	if text == "" {
		return ""
	}
	return withComment(text)
}

// CommentOf is the comment in an element's userdata.
func CommentOf(data string) string { return comment(data) }
