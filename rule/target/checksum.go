package target

import (
	"errors"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
)

// Checksum is -j CHECKSUM: it computes the checksum of a packet that was left
// without one for the card to fill in, for receivers that look at it in spite of
// that: old DHCP clients in virtual machines. It is valid in table mangle. The
// zero value is an error.
//
//	--checksum-fill
//
// nf_tables has no form of it, and the kernel ties its own to the table name
// mangle: see program.InexactError. It mirrors net/netfilter/xt_CHECKSUM.c.
type Checksum struct {
	Fill bool // --checksum-fill; false is an error, since there is no other operation
}

// Name is "CHECKSUM".
func (Checksum) Name() string { return checksum.Name }

func (Checksum) ext() option.Extension { return checksum }

var checksum = &option.Spec[Checksum]{
	Name: "CHECKSUM",
	Rows: []option.Row[Checksum]{
		option.Flag("--checksum-fill", func(t *Checksum) *bool { return &t.Fill }),
	},
	Check: func(t *Checksum, _ option.Context) error {
		if !t.Fill {
			return errors.New("option \"--checksum-fill\" must be specified")
		}
		return nil
	},
	Needs: func(Checksum) option.Needs { return option.Needs{Tables: []string{"mangle"}} },
	List:  func(Checksum, *option.Lister) string { return "CHECKSUM fill" },
	XT: option.XTStruct(option.XT[Checksum]{Target: true, Tables: []string{"mangle"}}, 0,
		func(Checksum, program.Env) xtables.Checksum { return xtables.Checksum{Operation: xtables.ChecksumFill} },
		func(b xtables.Checksum, _ program.Env) (Checksum, bool) {
			return Checksum{Fill: true}, b.Operation == xtables.ChecksumFill
		}),
}

// Compile adds the xt target.
func (t Checksum) Compile(a program.Action) error { return checksum.Kernel(a.Code, t) }
