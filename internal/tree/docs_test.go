package tree

import (
	"go/ast"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every package says what it is, and so does every exported name of those that
// are not for tests.
func TestDocumented(t *testing.T) {
	packages := map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		packages[s.dir] = packages[s.dir] || s.Doc != nil
		if isForTests(s.dir) {
			continue
		}
		for _, d := range s.Decls {
			s.documented(t, d)
		}
	}
	for dir, ok := range packages {
		if !ok {
			t.Errorf("%s: the package has no comment", dir)
		}
	}
}

// CONTRIBUTING names every room of the house; there a row gives several internal
// packages, the first with its path.
func TestRooms(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range slices.Concat(slices.Concat(stairs[:]...), forTests[:]) {
		short := strings.TrimPrefix(dir, "internal/")
		switch {
		case strings.Contains(short, "/") && short != dir: // a part of the room above it
		case !strings.Contains(string(text), "`"+dir+"`") && !strings.Contains(string(text), "`"+short+"`"):
			t.Errorf("CONTRIBUTING.md does not name %s", dir)
		}
	}
}

// documented wants a comment at a declaration's exported names.
func (s *source) documented(t *testing.T, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && exportedReceiver(d) && d.Doc == nil && !(inner(s.dir) && wellKnown[d.Name.Name]) {
			t.Errorf("%s: %s has no comment", s.at(d), d.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() && d.Doc == nil && spec.Doc == nil {
					t.Errorf("%s: %s has no comment", s.at(spec), spec.Name.Name)
				}
			case *ast.ValueSpec:
				for _, n := range spec.Names {
					if n.IsExported() && d.Doc == nil && spec.Doc == nil && spec.Comment == nil && !inner(s.dir) {
						t.Errorf("%s: %s has no comment", s.at(spec), n.Name)
					}
				}
			}
		}
	}
}

// wellKnown are methods of internal packages' many small types that say nothing
// but what their name does.
var wellKnown = map[string]bool{"String": true, "Error": true, "Unwrap": true}

// inner says whether a package is internal: there numbers of the kernel's ABI may
// stand under the kernel's own names without more words.
func inner(dir string) bool { return strings.HasPrefix(dir, "internal/") }

// exportedReceiver says whether a function is none of an unexported type.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	e := d.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}
