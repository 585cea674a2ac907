package table_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

func ExampleParse() {
	const text = `*filter
:INPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -p tcp -m multiport --dports 25,80 -j ACCEPT
COMMIT
`
	rs, err := table.Parse(strings.NewReader(text), nf.IPv4)
	if err != nil {
		fmt.Println(err)
		return
	}
	filter, _ := rs.Table(table.Filter.IPv4())
	input, _ := filter.Chain(chain.Input)
	for n, r := range input.Rules() {
		fmt.Println(n, r)
	}

	_, err = table.Parse(strings.NewReader("*filter\n-A INPUT -j ACCEPT\n"), nf.IPv4)
	fmt.Println(errors.Is(err, table.ErrNoCommit), err)
	// Output:
	// 1 -i lo -j ACCEPT
	// 2 -p tcp -m multiport --dports 25,80 -j ACCEPT
	// true line 3, column 1: COMMIT missing: the text ends within table filter, expected COMMIT
}

func ExampleRuleset_Err() {
	rs := table.NewRuleset(table.New(table.Filter,
		chain.BuiltIn(chain.Input, chain.Drop, rule.Accept(match.In("lo")), rule.Jump("mail")),
	))
	fmt.Println(rs.Err())
	// Output:
	// filter INPUT rule 2: chain mail: file does not exist (-j mail)
}

func ExampleTable_List() {
	t := table.New(table.Filter.IPv4(), chain.BuiltIn(chain.Input, chain.Drop,
		rule.Accept(match.In("lo")),
		rule.Accept(match.Dport(nf.TCP, 25)),
	))
	var b strings.Builder
	if err := t.List(context.Background(), &b, table.Listing{Numbers: true}); err != nil {
		fmt.Println(err)
	}
	for line := range strings.Lines(b.String()) {
		fmt.Println(strings.TrimSpace(line)) // iptables pads the last column
	}
	// Output:
	// Chain INPUT (policy DROP)
	// num  target     prot opt source               destination
	// 1    ACCEPT     0    --  0.0.0.0/0            0.0.0.0/0
	// 2    ACCEPT     6    --  0.0.0.0/0            0.0.0.0/0            tcp dpt:25
}

func ExampleLint() {
	rs := table.NewRuleset(table.New(table.Filter, chain.BuiltIn(chain.Input, chain.Drop,
		rule.Accept(match.In("lo")),
		rule.Accept(match.Dport(nf.TCP, 25)),
	)))
	for warning := range table.Lint(rs) {
		fmt.Println(warning)
	}
	// Output:
	// filter INPUT: policy DROP, and no rule accepts neighbour discovery: IPv6 is dead (see rule.NeighborDiscovery)
}
