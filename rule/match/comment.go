package match

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Comment is -m comment: up to 255 bytes that change nothing. Equal and -D
// compare it, as iptables does. The zero value is an error.
//
//	--comment text
//
// A comment costs a packet nothing: it travels in the rule's userdata, as nft's
// own comment where nft's grammar can read it back. Comments that do not fit
// there, some 240 bytes in all, go into the kernel's xt_comment, which every
// table has.
type Comment string

// maxComment is XT_MAX_COMMENT_LEN less the end of the string.
const maxComment = 255

// Name is "comment".
func (Comment) Name() string { return comment.Name }

func (Comment) ext() option.Extension { return comment }

var comment = &option.Spec[Comment]{
	Name: "comment",
	Rows: []option.Row[Comment]{{
		Name: "--comment", Args: 1, Want: "a text of 1 to 255 bytes",
		Set: func(m *Comment, _ bool, w []string, _ option.Context) error {
			*m = Comment(w[0])
			return nil
		},
		Get: func(m *Comment, _ nf.Family) (bool, string, bool) { return false, option.Quote(string(*m)), true },
	}},
	Check: func(m *Comment, _ option.Context) error {
		switch {
		case *m == "":
			return errors.New("--comment: empty")
		case len(*m) > maxComment:
			return fmt.Errorf("--comment: %d bytes, %d at most", len(*m), maxComment)
		case strings.ContainsAny(string(*m), "\n\x00"):
			return errors.New("--comment: must be one line")
		}
		return nil
	},
	List: func(m Comment, _ *option.Lister) string { return "/* " + string(m) + " */" },
	Read: func(r *program.Reader) (Comment, bool) {
		text, ok := r.Comment()
		return Comment(text), ok
	},
	XT: option.XTStruct(option.XT[Comment]{Inet: true}, 0,
		func(m Comment, _ program.Env) (b xtables.Comment) {
			copy(b.Text[:maxComment], m)
			return b
		},
		func(b xtables.Comment, _ program.Env) (Comment, bool) {
			return Comment(xtables.String(b.Text[:])), true
		}),
}

// Compile notes the comment, or programs the match that does nothing.
func (m Comment) Compile(c *program.Code) error {
	if c.Env.LongComments {
		return comment.Kernel(c, m)
	}
	c.Comment(string(m))
	return nil
}
