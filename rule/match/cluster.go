package match

import (
	"errors"
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Cluster is -m cluster: the connections that are this host's, where several share
// an address without a balancer before them.
//
//	--cluster-total-nodes n
//	[!] --cluster-local-node n | [!] --cluster-local-nodemask bits
//	--cluster-hash-seed n
//
// It is the kernel's own xt match, which ip and ip6 tables have and inet tables have
// not: nf_tables hashes otherwise, and does not make the packet this host's. A node
// is saved as its mask, which iptables reads back for the first six nodes only;
// here all are read. It mirrors net/netfilter/xt_cluster.c.
type Cluster struct {
	Total uint32      // --cluster-total-nodes, 1 to 32
	Nodes Opt[uint32] // --cluster-local-nodemask: bit 0 is node 1; absent is an error
	Seed  uint32      // --cluster-hash-seed, the same on every host
	given uint8       // the options that were read; 0 in the normal form
}

// The options that a Cluster was made of.
const (
	givenSeed = 1 << iota
	givenNode
	givenMask
)

const maxNodes = 32 // XT_CLUSTER_NODES_MAX

// Name is "cluster".
func (Cluster) Name() string { return cluster.Name }

func (Cluster) ext() option.Extension { return cluster }

var cluster = &option.Spec[Cluster]{
	Name: "cluster",
	Rows: []option.Row[Cluster]{
		{
			Name: "--cluster-local-nodemask", Args: 1, Invert: true, Want: "the bits of the nodes",
			Set: func(m *Cluster, not bool, w []string, _ option.Context) error {
				n, err := option.Uint(w[0], 1, 1<<32-1)
				return m.nodes(givenMask, isOrNot(not, uint32(n)), err)
			},
			Get: func(m *Cluster, _ nf.Family) (bool, string, bool) {
				n, not, ok := m.Nodes.Get()
				return not, fmt.Sprintf("0x%08x", n), ok
			},
		},
		option.Field("--cluster-total-nodes", func(m *Cluster) *uint32 { return &m.Total }, option.Number[uint32](1, maxNodes)),
		{
			Name: "--cluster-hash-seed", Args: 1, Want: "a number from 0 to 4294967295",
			Set: func(m *Cluster, _ bool, w []string, _ option.Context) error {
				n, err := option.Uint(w[0], 0, 1<<32-1)
				m.Seed, m.given = uint32(n), m.given|givenSeed
				return err
			},
			Get: func(m *Cluster, _ nf.Family) (bool, string, bool) { return false, fmt.Sprintf("0x%08x", m.Seed), true },
		},
		{
			Name: "--cluster-local-node", Args: 1, Invert: true, Want: "a number from 1 to 32",
			Set: func(m *Cluster, not bool, w []string, _ option.Context) error {
				n, err := option.Uint(w[0], 1, maxNodes)
				return m.nodes(givenNode, isOrNot(not, uint32(1)<<((n-1)&31)), err)
			},
		},
	},
	Check: func(m *Cluster, _ option.Context) error { return m.check() },
	List: func(m Cluster, _ *option.Lister) string {
		n, not, _ := m.Nodes.Get()
		return fmt.Sprintf("cluster %snode_mask=0x%08x total_nodes=%d hash_seed=0x%08x", bang(not), n, m.Total, m.Seed)
	},
	XT: option.XTStruct(option.XT[Cluster]{}, 0,
		func(m Cluster, _ program.Env) xtables.Cluster {
			n, not, _ := m.Nodes.Get()
			return xtables.Cluster{Total: m.Total, Nodes: n, Seed: m.Seed, Flags: bitIf[uint32](not, xtables.ClusterInvert)}
		},
		func(b xtables.Cluster, _ program.Env) (Cluster, bool) {
			m := Cluster{Total: b.Total, Nodes: isOrNot(b.Flags == xtables.ClusterInvert, b.Nodes), Seed: b.Seed}
			return m, b.Flags <= xtables.ClusterInvert && m.check() == nil
		}),
}

// nodes is --cluster-local-node or --cluster-local-nodemask, of which there is one.
func (m *Cluster) nodes(given uint8, nodes Opt[uint32], err error) error {
	if m.Nodes.Given() {
		return together("--cluster-local-node", "--cluster-local-nodemask")
	}
	m.Nodes, m.given = nodes, m.given|given
	return err
}

func (m *Cluster) check() error {
	n, _, ok := m.Nodes.Get()
	switch {
	case m.Total == 0:
		return errors.New(`option "--cluster-total-nodes" must be specified`)
	case m.Total > maxNodes:
		return fmt.Errorf("%d nodes, %d at most", m.Total, maxNodes)
	case m.given != 0 && m.given&givenSeed == 0:
		return errors.New(`option "--cluster-hash-seed" must be specified`)
	case !ok || n == 0:
		return errors.New("`--cluster-local-node' or `--cluster-local-nodemask' is missing")
	case uint64(n) >= 1<<m.Total && m.given&givenNode != 0:
		return errors.New("`--cluster-local-node' must be <= `--cluster-total-nodes'")
	case uint64(n) >= 1<<m.Total:
		return errors.New("`--cluster-local-nodemask' too big for `--cluster-total-nodes'")
	}
	m.given = 0
	return nil
}

// Compile is the kernel's own match.
func (m Cluster) Compile(c *program.Code) error { return cluster.Kernel(c, m) }
