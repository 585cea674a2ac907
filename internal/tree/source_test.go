package tree

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// module is what go.mod says it is.
const module = "github.com/gatehouse-fw/gatehouse"

// source is one Go file.
type source struct {
	dir   string // of the package, from the module's root: "rule/match"
	path  string // from the root
	test  bool
	lines int
	set   *token.FileSet
	*ast.File
}

// sources parses every Go file of the module.
func sources(t *testing.T) []*source {
	t.Helper()
	root := filepath.Join("..", "..")
	if b, err := os.ReadFile(filepath.Join(root, "go.mod")); err != nil || !strings.HasPrefix(string(b), "module "+module+"\n") {
		t.Fatalf("%s is not the module's root: %v", root, err)
	}
	var out []*source
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		s, err := parse(root, path)
		if err == nil {
			out = append(out, s)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 100 {
		t.Fatalf("only %d files were found", len(out))
	}
	return out
}

func parse(root, path string) (*source, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	rel, err := filepath.Rel(root, path)
	if err != nil {
		return nil, err
	}
	rel = filepath.ToSlash(rel)
	dir, _, _ := strings.Cut(rel, "/"+filepath.Base(path))
	return &source{
		dir: dir, path: rel, test: strings.HasSuffix(path, "_test.go"),
		lines: strings.Count(string(text), "\n"), set: set, File: f,
	}, nil
}

// imports are the paths that a file imports; this module's from its root, with
// "./" before them.
func (s *source) imports() (paths []string) {
	for _, spec := range s.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		if rest, ok := strings.CutPrefix(p, module+"/"); ok {
			p = "./" + rest
		}
		paths = append(paths, p)
	}
	return paths
}

// at is where a node is: "rule/rule.go:12".
func (s *source) at(n ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.set.Position(n.Pos()).Line)
}
