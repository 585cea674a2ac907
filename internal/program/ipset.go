package program

import (
	"fmt"
	"strings"
)

// IPSetNames joins the names of the ipsets that an xt struct refers to, in the
// order of its fields, "" for a field that refers to none; where all are "" so is
// the result. The kernel knows an ipset by a number that is another in every
// namespace and after every boot, so a program has names: the fields hold
// xt.NoIPSet until a driver that has a kernel puts the numbers in, and takes them
// out when it reads.
func IPSetNames(names ...string) string {
	joined := strings.Join(names, "\x00")
	if len(joined) == len(names)-1 {
		return ""
	}
	return joined
}

// SplitIPSets are the n names that IPSetNames joined; ok is false where there
// are not so many.
func SplitIPSets(joined string, n int) (names []string, ok bool) {
	if joined == "" {
		return make([]string, n), true
	}
	names = strings.Split(joined, "\x00")
	return names, len(names) == n
}

// dumpIPSets is ` ipsets "a" "b"`, or nothing.
func dumpIPSets(joined string) string {
	if joined == "" {
		return ""
	}
	var b strings.Builder
	b.WriteString(" ipsets")
	for _, name := range strings.Split(joined, "\x00") {
		fmt.Fprintf(&b, " %q", name)
	}
	return b.String()
}
