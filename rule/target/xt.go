package target

import (
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// XT is a kernel xt target that this release has no type for, as its struct's
// bytes. As text it is "-j XT --ext name --revision n --info hex", which the
// real iptables refuses.
type XT struct {
	Ext      string // the extension's name; empty is an error
	Revision uint8
	Info     string // the bytes, in the kernel's layout and byte order
}

// Name is "XT".
func (XT) Name() string { return xt.Name }

func (XT) ext() option.Extension { return xt }

var xt = &option.Spec[XT]{
	Name: "XT",
	Rows: []option.Row[XT]{
		option.Field("--ext", func(x *XT) *string { return &x.Ext }, option.Text(28)),
		option.Field("--revision", func(x *XT) *uint8 { return &x.Revision }, option.Number[uint8](0, 255)),
		option.Field("--info", func(x *XT) *string { return &x.Info }, hexadecimal),
	},
	Check: func(x *XT, _ option.Context) error {
		if x.Ext == "" {
			return errors.New("--ext must name an extension")
		}
		return nil
	},
	List: func(x XT, _ *option.Lister) string {
		return fmt.Sprintf("xt %s rev %d %x", x.Ext, x.Revision, x.Info)
	},
	Read: func(r *program.Reader) (XT, bool) {
		e, ok := r.Item(0).(program.XTTarget)
		if !ok || e.Rev > 255 {
			return XT{}, false
		}
		r.Take(1)
		return XT{e.Name, uint8(e.Rev), e.Info}, true
	},
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

// Compile adds the target as it is.
func (x XT) Compile(a program.Action) error {
	a.Add(program.XTTarget{Name: x.Ext, Rev: uint32(x.Revision), Info: x.Info})
	return nil
}
