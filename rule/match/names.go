package match

import (
	"os"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
)

// numberOf looks a name up in the first of some files that is there: lines of a
// number and a name, # before a comment. What is above most is not there.
func numberOf(name string, most uint64, paths ...string) (n uint64, ok bool) {
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err == nil {
			return numberIn(string(text), name, most)
		}
	}
	return 0, false
}

func numberIn(text, name string, most uint64) (n uint64, ok bool) {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if f := strings.Fields(line); len(f) == 2 && f[1] == name {
			v, err := option.Uint(f[0], 0, most)
			return v, err == nil
		}
	}
	return 0, false
}
