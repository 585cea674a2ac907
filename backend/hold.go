package backend

import (
	"context"

	"github.com/gatehouse-fw/gatehouse/table"
)

// Hold applies rs and puts it back whenever somebody changes it, until ctx ends,
// whose error it returns. repaired, which may be nil, is called after each
// repair with the event that made it necessary, from the goroutine that called
// Hold. A change through this Firewall is one like any other. Two who hold
// different rulesets of one owner undo each other's work for as long as both live.
//
// What another commits is in force until it is undone, some milliseconds: who
// must not be able to change a firewall must not have CAP_NET_ADMIN there.
func (f *Firewall) Hold(ctx context.Context, rs table.Ruleset, repaired func(Event)) error {
	began := false
	for e, err := range f.Watch(ctx) {
		if err != nil {
			return err
		}
		if began && e.Resync == nil && !aboutOurs(e) {
			continue
		}
		p, err := f.Plan(ctx, rs)
		if err != nil {
			return err
		}
		if !p.Empty() {
			if err := f.Apply(ctx, rs); err != nil {
				return err
			}
			if began && repaired != nil {
				repaired(e)
			}
		}
		began = true
	}
	return ctx.Err()
}

// aboutOurs says whether a commit changed the owner's tables.
func aboutOurs(e Event) bool {
	for _, c := range e.Changes {
		if c.Other == nil {
			return true
		}
	}
	return false
}
