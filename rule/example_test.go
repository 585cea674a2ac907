package rule_test

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

func ExampleNew() {
	// What a target does to the packets that every match accepts.
	publish := rule.New(target.DNATTo(netip.MustParseAddrPort("172.17.0.2:80")),
		match.Dport(nf.TCP, 8080), match.NotIn("docker0"))
	fmt.Println(publish)
	fmt.Println(publish.Family())

	// Nothing that was forgotten widens a rule.
	forgotten := rule.New(target.Accept, match.In(""))
	fmt.Println(forgotten.Err())
	// Output:
	// ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
	// IPv4
	// -i: empty interface name
}

func ExampleAccept() {
	fmt.Println(rule.Accept(match.In("lo")))
	fmt.Println(rule.Accept(match.Dports(nf.TCP, 25, 80)))
	fmt.Println(rule.Accept(match.States(match.Related | match.Established)))
	fmt.Println(rule.Drop(match.Source(netip.MustParsePrefix("2001:db8::/32"))))
	// Output:
	// -i lo -j ACCEPT
	// -p tcp -m multiport --dports 25,80 -j ACCEPT
	// -m state --state RELATED,ESTABLISHED -j ACCEPT
	// -s 2001:db8::/32 -j DROP
}

func ExampleParse() {
	r, err := rule.Parse("-p tcp --dport ssh -m limit --limit 3/min -j ACCEPT", nf.IPv4)
	fmt.Println(r, err)

	_, err = rule.Parse("-p tcp --dport 65536 -j ACCEPT", nf.IPv4)
	var syntax *rule.SyntaxError
	if errors.As(err, &syntax) {
		fmt.Println(syntax.Column, syntax.Extension, syntax.Token)
	}
	// Output:
	// -p tcp -m tcp --dport 22 -m limit --limit 3/min -j ACCEPT <nil>
	// 8 tcp --dport 65536
}

func ExampleFind() {
	r, _ := rule.Parse("-p tcp -m tcp ! --dport 22 -j DROP", nf.IPv4)
	if m, ok := rule.Find[match.TCP](r); ok {
		ports, not, given := m.Dport.Get()
		first, last, _ := ports.Bounds()
		fmt.Println(first, last, not, given)
	}
	// Output:
	// 22 22 true true
}
