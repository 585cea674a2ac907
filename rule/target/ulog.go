package target

import (
	"errors"
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// ULOG is -j ULOG: the way of logging to programs before NFLOG. The kernel has not
// had it since Linux 3.17: it is read and printed, and cannot be programmed. It is
// for IPv4. The zero value logs to group 1 without a prefix.
//
//	--ulog-nlgroup group  --ulog-prefix text  --ulog-cprange bytes  --ulog-qthreshold packets
type ULOG struct {
	Prefix    string // --ulog-prefix: at most 31 bytes; "": none
	Group     uint8  // --ulog-nlgroup: 1 to 32; zero: 1
	Range     uint32 // --ulog-cprange: bytes of a packet; zero: all
	Threshold uint8  // --ulog-qthreshold: packets that are sent together, 1 to 50; zero: 1
}

const (
	maxULOGPrefix    = 31
	maxULOGThreshold = 50
)

// Name is "ULOG".
func (ULOG) Name() string { return ulog.Name }

func (ULOG) ext() option.Extension { return ulog }

var ulog = &option.Spec[ULOG]{
	Name: "ULOG", Families: nf.IPv4,
	Rows: []option.Row[ULOG]{
		{
			Name: "--ulog-prefix", Args: 1, Want: "a text of 1 to 31 bytes",
			Set: func(t *ULOG, _ bool, w []string, c option.Context) (err error) {
				if w[0] == "" {
					return errors.New("argument must have a minimum length of 1 characters")
				}
				t.Prefix, err = option.Cut(maxULOGPrefix).Parse(w[0], c)
				return err
			},
			Get: func(t *ULOG, _ nf.Family) (bool, string, bool) { return false, option.Quote(t.Prefix), t.Prefix != "" },
		},
		option.Field("--ulog-nlgroup", func(t *ULOG) *uint8 { return &t.Group }, option.Number[uint8](1, 32)),
		option.Field("--ulog-cprange", func(t *ULOG) *uint32 { return &t.Range }, option.Number[uint32](0, 0xffffffff)),
		option.Field("--ulog-qthreshold", func(t *ULOG) *uint8 { return &t.Threshold }, option.Number[uint8](1, maxULOGThreshold)),
	},
	Check: func(t *ULOG, _ option.Context) error {
		if err := option.CheckText(t.Prefix, maxULOGPrefix); t.Prefix != "" && err != nil {
			return fmt.Errorf("--ulog-prefix %w", err)
		}
		if t.Group > 32 || t.Threshold > maxULOGThreshold {
			return fmt.Errorf("group %d or threshold %d is out of range", t.Group, t.Threshold)
		}
		if t.Group == 1 {
			t.Group = 0
		}
		if t.Threshold == 1 {
			t.Threshold = 0
		}
		return nil
	},
	List: func(t ULOG, _ *option.Lister) string {
		s := fmt.Sprintf("ULOG copy_range %d nlgroup %d", t.Range, max(t.Group, 1))
		if t.Prefix != "" {
			s += ` prefix "` + t.Prefix + `"`
		}
		return s + fmt.Sprintf(" queue_threshold %d", max(t.Threshold, 1))
	},
}

// Compile is an error: no kernel has it.
func (ULOG) Compile(program.Action) error {
	return &program.InexactError{Extension: "ULOG", Why: "it was removed from the kernel in Linux 3.17", Hint: "use NFLOG"}
}
