package target

import (
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// SYNPROXY is -j SYNPROXY: it answers SYN packets in a server's place and passes a
// connection on once the client has shown that it is there. What the options say
// is what the server would have answered. It needs -p tcp, and is for the chains
// INPUT and FORWARD. The SYN packets must be untracked, those that end the
// handshake INVALID to connection tracking: see iptables-extensions(8).
//
//	--sack-perm  --timestamp  --wscale number  --mss number  --ecn
//
// It is the kernel's own xt target, which ip and ip6 tables have and inet tables
// have not; nf_tables' synproxy refuses --ecn and breaks off where this one goes
// on. It mirrors net/ipv4/netfilter/ipt_SYNPROXY.c and its IPv6 like. A --mss above
// 65535, of which iptables takes the lower 16 bits, is refused.
type SYNPROXY struct {
	SackPerm  bool        // --sack-perm: the server takes selective acknowledgements
	Timestamp bool        // --timestamp: and timestamps
	WScale    Opt[uint8]  // --wscale: its window scale; absent: none
	MSS       Opt[uint16] // --mss: its segment size; absent: none
	ECN       bool        // --ecn: and congestion notification
}

// Name is "SYNPROXY".
func (SYNPROXY) Name() string { return synproxy.Name }

func (SYNPROXY) ext() option.Extension { return synproxy }

var synproxy = &option.Spec[SYNPROXY]{
	Name: "SYNPROXY",
	Rows: []option.Row[SYNPROXY]{
		option.Flag("--sack-perm", func(t *SYNPROXY) *bool { return &t.SackPerm }),
		option.Flag("--timestamp", func(t *SYNPROXY) *bool { return &t.Timestamp }),
		opt("--wscale", func(t *SYNPROXY) *Opt[uint8] { return &t.WScale }, option.Number[uint8](0, 255)),
		opt("--mss", func(t *SYNPROXY) *Opt[uint16] { return &t.MSS }, option.Number[uint16](0, 65535)),
		option.Flag("--ecn", func(t *SYNPROXY) *bool { return &t.ECN }),
	},
	Needs: func(SYNPROXY) option.Needs {
		return option.Needs{Protos: []nf.Protocol{nf.TCP}, Chains: []string{"INPUT", "FORWARD"}}
	},
	List: listSYNPROXY,
	XT:   option.XTStruct(option.XT[SYNPROXY]{Target: true}, 0, SYNPROXY.blob, readSYNPROXYBlob),
}

// listSYNPROXY ends in a blank, as iptables' does.
func listSYNPROXY(t SYNPROXY, _ *option.Lister) string {
	s := "SYNPROXY "
	if t.SackPerm {
		s += "sack-perm "
	}
	if t.Timestamp {
		s += "timestamp "
	}
	if n, ok := t.WScale.Get(); ok {
		s += fmt.Sprintf("wscale %d ", n)
	}
	if n, ok := t.MSS.Get(); ok {
		s += fmt.Sprintf("mss %d ", n)
	}
	if t.ECN {
		s += "ecn "
	}
	return s
}

// Compile adds the kernel's target.
func (t SYNPROXY) Compile(a program.Action) error { return synproxy.Kernel(a.Code, t) }

func (t SYNPROXY) blob(program.Env) (b xtables.SynProxy) {
	for _, f := range [...]struct {
		bit uint8
		on  bool
	}{
		{xtables.SynProxySackPerm, t.SackPerm}, {xtables.SynProxyTimestamp, t.Timestamp}, {xtables.SynProxyECN, t.ECN},
		{xtables.SynProxyWScale, t.WScale.Given()}, {xtables.SynProxyMSS, t.MSS.Given()},
	} {
		if f.on {
			b.Options |= f.bit
		}
	}
	b.WScale, b.MSS = t.WScale.v, t.MSS.v
	return b
}

func readSYNPROXYBlob(b xtables.SynProxy, env program.Env) (t SYNPROXY, ok bool) {
	has := func(bit uint8) bool { return b.Options&bit != 0 }
	t.SackPerm, t.Timestamp, t.ECN = has(xtables.SynProxySackPerm), has(xtables.SynProxyTimestamp), has(xtables.SynProxyECN)
	if has(xtables.SynProxyWScale) {
		t.WScale = Is(b.WScale)
	}
	if has(xtables.SynProxyMSS) {
		t.MSS = Is(b.MSS)
	}
	return t, t.blob(env) == b
}
