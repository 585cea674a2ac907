package nft_test

import (
	"context"
	"fmt"

	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
)

// What a kernel can do and who else programs a namespace, without an owner and
// without a trace.
func ExampleSurvey() {
	ctx := context.Background()
	host := exampleHost(ctx)

	report, err := nft.Survey(ctx, nft.FD(host.FD()))
	if err != nil {
		fmt.Println(err)
		return
	}
	multiport, _ := report.Feature("match", "multiport")
	fmt.Println(multiport)
	if module, missing := report.Missing["CLUSTERIP"]; missing {
		fmt.Println("CLUSTERIP: no", module)
	}
	for _, other := range report.Others {
		fmt.Println(other)
		for _, hook := range other.Hooks {
			if hook.After {
				fmt.Println("  an ACCEPT of ours is not final:", hook)
			}
		}
	}
	// Output:
	// match multiport (revision 1)
	// CLUSTERIP: no ipt_CLUSTERIP
	// inet firewalld (firewalld)
	//   an ACCEPT of ours is not final: filter_INPUT: filter, input at 10, policy accept, after ours
}

// exampleHost is a host of its own with somebody else's firewall.
func exampleHost(ctx context.Context) *lab.Host {
	l, err := lab.New(ctx)
	if err != nil {
		panic(err)
	}
	host, err := l.Host("example")
	if err != nil {
		panic(err)
	}
	if _, err := host.Run(ctx, "table inet firewalld { chain filter_INPUT { type filter hook input priority 10; }; }", "nft", "-f", "-"); err != nil {
		panic(err)
	}
	return host
}
