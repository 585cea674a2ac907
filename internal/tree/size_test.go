package tree

import (
	"go/ast"
	"testing"
)

// The longest that a file and a function may be, in lines.
const (
	longestFile     = 500
	longestFunction = 80
)

func TestNothingIsTooLong(t *testing.T) {
	for _, s := range sources(t) {
		if s.lines > longestFile {
			t.Errorf("%s has %d lines, %d at most", s.path, s.lines, longestFile)
		}
		for _, d := range s.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line + 1; n > longestFunction {
				t.Errorf("%s: %s has %d lines, %d at most", s.at(f), f.Name.Name, n, longestFunction)
			}
		}
	}
}
