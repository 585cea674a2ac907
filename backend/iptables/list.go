package iptables

import (
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/table"
)

// read is a table as iptables shows it: with its built-in chains, be it there or not.
func (x *IPTables) read(name string) (table.Table, error) {
	ctx, cancel := x.bound()
	defer cancel()
	id, err := x.id(name)
	if err != nil {
		return table.Table{}, err
	}
	rs, err := x.fw.Read(ctx)
	if err != nil {
		return table.Table{}, err
	}
	t, ok := rs.For(x.proto.family()).Table(id)
	if !ok {
		t = table.New(id)
	}
	return t.Complete(), nil
}

// lines is what iptables prints for a chain.
func (x *IPTables) lines(tableName, chainName string, how table.Listing) ([]string, error) {
	t, err := x.read(tableName)
	if err != nil {
		return nil, failure(err)
	}
	if _, ok := t.Chain(chainName); !ok {
		return nil, failure(fmt.Errorf("%s: %w", chainName, errNoChain))
	}
	var b strings.Builder
	if err := t.List(x.ctx, &b, how, chainName); err != nil {
		return nil, failure(err)
	}
	return strings.FieldsFunc(b.String(), func(r rune) bool { return r == '\n' }), nil
}

// List is what iptables -S CHAIN prints, a line each: "-P INPUT ACCEPT" or "-N
// CHAIN" first, then "-A CHAIN …".
func (x *IPTables) List(table, chain string) ([]string, error) {
	return x.lines(table, chain, specs(false))
}

// ListWithCounters is List with "-c packets bytes" in each rule, as iptables -vS
// prints it.
func (x *IPTables) ListWithCounters(table, chain string) ([]string, error) {
	return x.lines(table, chain, specs(true))
}

func specs(counters bool) table.Listing { return table.Listing{Spec: true, Verbose: counters} }

// ListById is rule number id, from 1, as List prints it; IsNotExist if there is none.
func (x *IPTables) ListById(table, chain string, id int) (string, error) {
	how := specs(false)
	how.Rule = id
	if id < 1 {
		return "", failure(fmt.Errorf("rule %d: %w", id, errNoRule))
	}
	lines, err := x.lines(table, chain, how)
	switch {
	case err != nil:
		return "", err
	case len(lines) == 0:
		return "", failure(fmt.Errorf("%s rule %d: %w", chain, id, errNoRule))
	}
	return lines[0], nil
}

// ListChains are the names of a table's chains: built-in ones first, then users'.
func (x *IPTables) ListChains(tableName string) ([]string, error) {
	t, err := x.read(tableName)
	if err != nil {
		return nil, failure(err)
	}
	var names, users []string
	for c := range t.Chains() {
		if chain.IsBuiltIn(c.Name()) {
			names = append(names, c.Name())
		} else {
			users = append(users, c.Name())
		}
	}
	return append(names, users...), nil
}
