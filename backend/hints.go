package backend

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/table"
)

// hint is what to do about something that a ruleset has wrong; "" where the
// reason itself says it.
func hint(e *table.Error) string {
	for _, h := range [...]struct {
		is   error
		hint string
	}{
		{table.ErrNoTable, "make it with table.New, from one of table's five IDs"},
		{table.ErrBothOne, "name the table once, for both families, or its IPv4 and its IPv6"},
		{table.ErrBuiltIn, "put its rules into a user chain and jump there"},
		{table.ErrDepth, "put the rules of some of these chains together"},
		{table.ErrLoop, "take one of these jumps away"},
		{table.ErrInterface, "-i is for PREROUTING, INPUT and FORWARD, -o for FORWARD, OUTPUT and POSTROUTING"},
		{rule.ErrFamily, "make a rule for each family, each in a table of that family or for both"},
	} {
		if errors.Is(e.Err, h.is) {
			return h.hint
		}
	}
	switch {
	case errors.Is(e.Err, table.ErrHook):
		var names []string
		for _, h := range e.Table.BuiltIns() {
			names = append(names, h.Chain)
		}
		return fmt.Sprintf("%s has %s", e.Table.Name(), strings.Join(names, ", "))
	case errors.Is(e.Err, fs.ErrNotExist) && e.Rule > 0:
		return "the chain must be in the same table: chain.New makes it, chain.Keep one that others fill"
	}
	return ""
}
