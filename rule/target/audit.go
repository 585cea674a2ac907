package target

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Audit is -j AUDIT: it writes a record of the packet to the kernel's audit
// trail, where auditing is on, and goes on with the next rule. The zero value is
// an error.
//
//	--type accept | drop | reject
//
// It is the kernel's own xt target, which every table has: nf_tables' "log level
// audit" writes the same record, and has no room for the type. Nor has the
// record: the kernel takes the type and writes it nowhere. It mirrors
// net/netfilter/xt_AUDIT.c.
type Audit struct {
	Type AuditType // --type; zero is an error
}

// AuditType says what is thought to become of the packet; nothing is done about it.
type AuditType uint8

// The types of --type.
const (
	AuditAccept AuditType = iota + 1 // accept
	AuditDrop                        // drop
	AuditReject                      // reject
)

var auditTypes = [...]string{"", "accept", "drop", "reject"}

// String is the type as --type takes it; "" for the zero value.
func (t AuditType) String() string {
	if int(t) < len(auditTypes) {
		return auditTypes[t]
	}
	return ""
}

// Name is "AUDIT".
func (Audit) Name() string { return audit.Name }

func (Audit) ext() option.Extension { return audit }

var audit = &option.Spec[Audit]{
	Name: "AUDIT",
	Rows: []option.Row[Audit]{
		option.Field("--type", func(t *Audit) *AuditType { return &t.Type }, option.Codec[AuditType]{
			Want: "accept, drop or reject",
			Parse: func(w string, _ option.Context) (AuditType, error) {
				for i, name := range auditTypes[1:] {
					if strings.EqualFold(w, name) {
						return AuditType(i + 1), nil
					}
				}
				return 0, fmt.Errorf("bad action type value %q", w)
			},
			Print: func(t AuditType, _ nf.Family) string { return t.String() },
		}),
	},
	Check: func(t *Audit, _ option.Context) error {
		switch {
		case t.Type == 0:
			return errors.New("option \"--type\" must be specified")
		case t.Type > AuditReject:
			return fmt.Errorf("bad action type value %d", t.Type)
		}
		return nil
	},
	List: func(t Audit, _ *option.Lister) string { return "AUDIT " + t.Type.String() },
	XT: option.XTStruct(option.XT[Audit]{Target: true, Inet: true}, 0,
		func(t Audit, _ program.Env) xtables.Audit { return xtables.Audit{Type: uint8(t.Type - 1)} },
		func(b xtables.Audit, _ program.Env) (Audit, bool) {
			return Audit{AuditType(b.Type) + 1}, b.Type <= uint8(AuditReject-1)
		}),
}

// Compile adds the xt target.
func (t Audit) Compile(a program.Action) error { return audit.Kernel(a.Code, t) }
