package exttest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/option"
)

// refusals is how many examples of bad input an extension must have at least.
const refusals = 5

// Complete names what the examples of each extension lack: a file, refused
// inputs, each option and its negation, a listing, a program, nft's line. The
// extensions called own are ours alone; the real iptables has no word for them.
func Complete(t *testing.T, files []File, extensions []option.Extension, own ...string) {
	for _, e := range extensions {
		name := e.ExtName()
		i := slices.IndexFunc(files, func(f File) bool { return f.Name == name })
		if i < 0 {
			t.Errorf("%s: there is no testdata/%s.txt", name, name)
			continue
		}
		blocks := files[i].Blocks
		bad, lists, programs, lines, removed := 0, 0, 0, 0, false
		for _, b := range blocks {
			bad += count(b.Refused())
			lists += count(b.List != "")
			programs += count(b.Program != nil)
			lines += count(b.NFT != "" || b.Kernel != "") // nft lists what a kernel has
			removed = removed || b.Kernel == "removed"
		}
		if bad < refusals {
			t.Errorf("%s: %d refused inputs, want %d at least", name, bad, refusals)
		}
		if lists == 0 || programs == 0 && !removed || lines == 0 && !slices.Contains(own, name) {
			t.Errorf("%s: %d blocks with list, %d with program, %d with nft: want one of each at least", name, lists, programs, lines)
		}
		for _, o := range e.Options() {
			covered(t, name, blocks, o)
		}
	}
}

// covered wants an option in some accepted block, and its negation in another.
func covered(t *testing.T, name string, blocks []*Block, o option.Option) {
	plain, not := false, false
	for _, b := range blocks {
		if b.Refused() {
			continue
		}
		text := " " + b.Args + " " + strings.Join(b.Saves, " ") + " "
		for _, spelling := range append([]string{o.Name}, o.Aliases...) {
			n := strings.Count(text, " "+spelling+" ") + strings.Count(text, " "+spelling+"=")
			inverted := strings.Count(text, " ! "+spelling+" ") + strings.Count(text, " ! "+spelling+"=")
			plain, not = plain || n > inverted, not || inverted > 0
		}
	}
	if !plain {
		t.Errorf("%s: no block has %s", name, o.Name)
	}
	if o.Invert && !not {
		t.Errorf("%s: no block has ! %s", name, o.Name)
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Registered wants every option.Spec that the package in dir declares among its
// extensions: one that is not could be made in Go and not be read back.
func Registered(t *testing.T, dir string, extensions []option.Extension) {
	known := map[string]bool{}
	for _, e := range extensions {
		if known[e.ExtName()] {
			t.Errorf("%s is registered twice", e.ExtName())
		}
		known[e.ExtName()] = true
	}
	declared := specs(t, dir)
	if len(declared) == 0 {
		t.Fatal("no option.Spec was found: this test looks for nothing")
	}
	for _, name := range declared {
		if !known[name] {
			t.Errorf("%s is declared and not registered", name)
		}
	}
}

// specs are the names in the option.Spec literals of a package.
func specs(t *testing.T, dir string) (names []string) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var literals []*ast.CompositeLit
	consts := map[string]ast.Expr{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if isSpec(n.Type) {
					literals = append(literals, n)
				}
			case *ast.ValueSpec:
				for i := range min(len(n.Names), len(n.Values)) {
					consts[n.Names[i].Name] = n.Values[i]
				}
			}
			return true
		})
	}
	for _, lit := range literals {
		names = append(names, specName(lit, consts))
	}
	return names
}

// isSpec says whether a type is option.Spec[T].
func isSpec(e ast.Expr) bool {
	index, ok := e.(*ast.IndexExpr)
	if !ok {
		return false
	}
	sel, ok := index.X.(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "Spec"
}

// specName is the value of the literal's field Name, a literal or a constant.
func specName(lit *ast.CompositeLit, consts map[string]ast.Expr) string {
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if key, ok := kv.Key.(*ast.Ident); !ok || key.Name != "Name" {
			continue
		}
		value := kv.Value
		if id, ok := value.(*ast.Ident); ok {
			value = consts[id.Name]
		}
		if v, ok := value.(*ast.BasicLit); ok {
			if s, err := strconv.Unquote(v.Value); err == nil {
				return s
			}
		}
	}
	return "an option.Spec whose Name is not to be seen"
}
