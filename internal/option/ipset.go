package option

import (
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// IPSetWant is what the two words of an option that takes an IPSet should be.
const IPSetWant = "the name of an ipset and src or dst for each of its fields"

// ParseIPSet reads "name" and "src,dst". As in iptables a direction may have a
// tail: "srcip" is src.
func ParseIPSet(name string, words []string) (s nf.IPSet, err error) {
	if words[1] == "" || strings.HasPrefix(words[1], "-") || words[1] == "!" {
		return s, fmt.Errorf("%s requires two args", name)
	}
	var dirs []nf.Dir
	for _, w := range strings.Split(words[1], ",") {
		switch {
		case len(dirs) == len(s.Dirs):
			return s, fmt.Errorf("can't be more src/dst options than %d", len(s.Dirs))
		case strings.HasPrefix(w, "src"):
			dirs = append(dirs, nf.Src)
		case strings.HasPrefix(w, "dst"):
			dirs = append(dirs, nf.Dst)
		default:
			return s, fmt.Errorf("you must specify (the comma separated list of) 'src' or 'dst'")
		}
	}
	s = nf.InIPSet(words[0], dirs...)
	return s, s.Err()
}

// PrintIPSet is what ParseIPSet reads. A name that would not be one word is
// quoted, which iptables does not do: it cannot load its own listing of it.
func PrintIPSet(s nf.IPSet) string {
	name := s.Name
	if strings.ContainsAny(name, " \t\r\"\\") {
		name = Quote(name)
	}
	return name + " " + s.Dirs.String()
}

// ListIPSet is PrintIPSet as iptables -L has it.
func ListIPSet(s nf.IPSet) string { return s.Name + " " + s.Dirs.String() }

// EncodeIPSet is a set in an xt struct, without its name.
func EncodeIPSet(s nf.IPSet) xt.IPSet {
	b := xt.IPSet{Index: xt.NoIPSet, Dim: uint8(s.Dirs.Len())}
	for i := range int(b.Dim) {
		if s.Dirs[i] == nf.Src {
			b.Flags |= 1 << (i + 1)
		}
	}
	return b
}

// DecodeIPSet is EncodeIPSet's inverse, but for IPSetInvert, which it leaves to
// the caller; ok is false for what an nf.IPSet cannot say.
func DecodeIPSet(b xt.IPSet) (s nf.IPSet, ok bool) {
	flags := b.Flags &^ xt.IPSetInvert
	if b.Index != xt.NoIPSet || int(b.Dim) > len(s.Dirs) || flags>>(b.Dim+1) != 0 {
		return s, false
	}
	for i := range int(b.Dim) {
		s.Dirs[i] = nf.Dst
		if flags>>(i+1)&1 != 0 {
			s.Dirs[i] = nf.Src
		}
	}
	return s, true
}
