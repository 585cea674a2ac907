package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// read is the tool's view of a table: of one for both families its half. A table
// that is not there has its built-in chains all the same, as iptables shows it.
func (t tool) read(ctx context.Context, fw *backend.Firewall, id table.ID) (table.Table, error) {
	rs, err := fw.Read(ctx)
	if err != nil {
		return table.Table{}, err
	}
	tb, ok := rs.For(t.family).Table(id)
	if !ok {
		tb = table.New(id)
	}
	return tb.Complete(), nil
}

// print lists a table for -L or -S.
func (c *command) print(ctx context.Context, w io.Writer, tb table.Table, verb byte) error {
	how := table.Listing{
		Verbose: c.verbose, Exact: c.exact, Numbers: c.lines,
		Spec: verb == 'S', Rule: c.number,
	}
	if !c.numeric && verb == 'L' {
		how.Resolver = table.System()
	}
	var chains []string
	if c.chained {
		chains = append(chains, c.chain)
	}
	err := tb.List(ctx, w, how, chains...)
	if errors.Is(err, fs.ErrNotExist) {
		return errNoChain
	}
	return err
}

// describe is the line that -v prints for a rule that is added or looked for:
// what -L prints, without its columns.
//
//	ACCEPT  tcp opt -- in lo out *  0.0.0.0/0  -> 10.0.0.0/8   tcp dpt:22
func describe(id table.ID, r rule.Rule) string {
	const scratch = "chain"
	var row strings.Builder
	one := table.New(id, chain.New(scratch, r))
	if err := one.List(context.Background(), &row, table.Listing{Verbose: true, Rule: 1}, scratch); err != nil {
		return ""
	}
	line := strings.TrimSuffix(row.String(), "\n")
	fields := strings.Fields(line)
	name := r.Target().Name()
	if name == "" {
		fields = slices.Insert(fields, 2, "")
	}
	if len(fields) < 9 {
		return line
	}
	protoSign, proto := sign(fields[3])
	fromSign, from := sign(fields[7])
	toSign, to := sign(fields[8])
	// The widths of the columns of -nvL, each with the blank behind it.
	columns := 0
	for i, width := range [...]int{5, 5, 9, 4, 3, 6, 6, 19, 19} {
		text := strings.TrimPrefix(fields[i], "!")
		if i == 5 || i == 6 {
			text = fields[i] // the ! of an interface is within its column
		}
		columns += max(len(text), width) + 1
	}
	columns += 3 // a blank, or !, before protocol, source and destination
	return fmt.Sprintf("%s %s%s opt %s in %s out %s %s%s %s-> %s  %s",
		name, protoSign, protoName(proto), fields[4], fields[5], fields[6], fromSign, from, toSign, to, line[min(columns, len(line)):])
}

// sign takes the ! off a field.
func sign(field string) (not, rest string) {
	if rest, ok := strings.CutPrefix(field, "!"); ok {
		return "!", rest
	}
	return " ", field
}

// protoName is the name of a protocol that a listing shows by its number.
func protoName(number string) string {
	n, err := strconv.ParseUint(number, 10, 8)
	switch {
	case err != nil:
		return number
	case n == 0:
		return "all"
	}
	return nf.Protocol(n).String()
}
