// Package opaque has the option tables of what is carried without being
// understood: one expression, and one xt extension, as bytes. Matches and targets
// have them alike, each in types of its own.
package opaque

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

type (
	expr struct{ Expr, Data string }
	ext  struct {
		Ext      string
		Revision uint8
		Info     string
	}
)

// Unsaid is the name of an expression that has no bytes of its own: a lookup in
// a set without a name. No kernel has an expression of that name.
const Unsaid = "opaque"

// Said is the error of an expression that is Unsaid: it can be shown, and left
// where it is, and cannot be programmed elsewhere from its text.
func Said(extension, expr string) error {
	if expr != Unsaid {
		return nil
	}
	return &program.InexactError{
		Extension: extension,
		Why:       "the rule looks something up in a set that has no name, so its text cannot say what it does",
		Hint:      "leave the rule where it is, or give the set a name",
	}
}

// Raw is the table of an expression by its name and data: "--expr name:hex".
func Raw[T ~struct{ Expr, Data string }](name string, read func(*program.Reader) (T, bool)) *option.Spec[T] {
	return &option.Spec[T]{
		Name: name,
		Rows: []option.Row[T]{{
			Name: "--expr", Args: 1, Want: "name:hex",
			Set: func(t *T, _ bool, w []string, _ option.Context) error {
				name, digits, _ := strings.Cut(w[0], ":")
				data, err := hex.DecodeString(digits)
				*t = T(expr{name, string(data)})
				return err
			},
			Get: func(t *T, _ nf.Family) (bool, string, bool) {
				e := expr(*t)
				return false, e.Expr + ":" + hex.EncodeToString([]byte(e.Data)), true
			},
		}},
		Check: func(t *T, _ option.Context) error {
			if expr(*t).Expr == "" {
				return errors.New("--expr must name an expression")
			}
			return nil
		},
		List: func(t T, _ *option.Lister) string { return fmt.Sprintf("nft expr %s:%x", expr(t).Expr, expr(t).Data) },
		Read: read,
	}
}

// XT is the table of an xt extension by its name, revision and struct: "--ext
// name --revision n --info hex".
func XT[T ~struct {
	Ext      string
	Revision uint8
	Info     string
}](name string, read func(*program.Reader) (T, bool)) *option.Spec[T] {
	return &option.Spec[T]{
		Name: name,
		Rows: []option.Row[T]{
			part[T]("--ext", func(e *ext) *string { return &e.Ext }, option.Text(28)),
			part[T]("--revision", func(e *ext) *uint8 { return &e.Revision }, option.Number[uint8](0, 255)),
			part[T]("--info", func(e *ext) *string { return &e.Info }, hexadecimal),
		},
		Check: func(t *T, _ option.Context) error {
			if ext(*t).Ext == "" {
				return errors.New("--ext must name an extension")
			}
			return nil
		},
		List: func(t T, _ *option.Lister) string {
			e := ext(t)
			return fmt.Sprintf("xt %s rev %d %x", e.Ext, e.Revision, e.Info)
		},
		Read: read,
	}
}

// part is option.Field of a type that is an ext by another name.
func part[T ~struct {
	Ext      string
	Revision uint8
	Info     string
}, V comparable](name string, field func(*ext) *V, codec option.Codec[V]) option.Row[T] {
	row := option.Field(name, field, codec)
	return option.Row[T]{
		Name: row.Name, Args: row.Args, Want: row.Want,
		Set: func(t *T, not bool, words []string, c option.Context) error {
			e := ext(*t)
			err := row.Set(&e, not, words, c)
			*t = T(e)
			return err
		},
		Get: func(t *T, f nf.Family) (bool, string, bool) {
			e := ext(*t)
			return row.Get(&e, f)
		},
	}
}

// hexadecimal is a codec for bytes.
var hexadecimal = option.Codec[string]{
	Want: "hexadecimal digits",
	Parse: func(w string, _ option.Context) (string, error) {
		b, err := hex.DecodeString(w)
		return string(b), err
	},
	Print: func(s string, _ nf.Family) string { return hex.EncodeToString([]byte(s)) },
}
