package target

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// CLUSTERIP is -j CLUSTERIP: a cluster of hosts that share an address, each
// answering for its part of the clients. The kernel has not had it since Linux
// 6.3: it is read and printed, and cannot be programmed; the match cluster does
// its work. It is for IPv4. The zero value is the target without options.
//
//	--new --hashmode mode --clustermac address --total-nodes number --local-node number [--hash-init number]
type CLUSTERIP struct {
	New      bool        // --new: with all that follows; false: with nothing
	HashMode HashMode    // --hashmode
	MAC      [6]byte     // --clustermac: a multicast address
	Nodes    Opt[uint8]  // --total-nodes: up to 16
	Local    Opt[uint8]  // --local-node: up to 16
	HashInit Opt[uint32] // --hash-init; absent: 0
}

// HashMode says what of a packet tells a CLUSTERIP whose it is.
type HashMode uint8

// The modes of a CLUSTERIP.
const (
	BySource      HashMode = iota + 1 // sourceip
	BySourcePort                      // sourceip-sourceport
	BySourcePorts                     // sourceip-sourceport-destport
)

var hashModes = [...]string{"", "sourceip", "sourceip-sourceport", "sourceip-sourceport-destport"}

// Name is "CLUSTERIP".
func (CLUSTERIP) Name() string { return clusterip.Name }

func (CLUSTERIP) ext() option.Extension { return clusterip }

var clusterip = &option.Spec[CLUSTERIP]{
	Name: "CLUSTERIP", Families: nf.IPv4,
	Rows: []option.Row[CLUSTERIP]{
		option.Flag("--new", func(t *CLUSTERIP) *bool { return &t.New }),
		option.Field("--hashmode", func(t *CLUSTERIP) *HashMode { return &t.HashMode }, option.Codec[HashMode]{
			Want: "sourceip, sourceip-sourceport or sourceip-sourceport-destport",
			Parse: func(w string, _ option.Context) (HashMode, error) {
				for m, name := range hashModes {
					if w == name && m > 0 {
						return HashMode(m), nil
					}
				}
				return 0, fmt.Errorf("unknown hashmode %q", w)
			},
			Print: func(m HashMode, _ nf.Family) string { return hashModes[m] },
		}),
		option.Field("--clustermac", func(t *CLUSTERIP) *[6]byte { return &t.MAC }, option.Codec[[6]byte]{
			Want: "a multicast Ethernet address",
			Parse: func(w string, _ option.Context) (mac [6]byte, err error) {
				a, err := net.ParseMAC(w)
				if err != nil || len(a) != len(mac) {
					return mac, errors.New("invalid MAC address specified")
				}
				return [6]byte(a), nil
			},
			Print: func(mac [6]byte, _ nf.Family) string { return strings.ToUpper(net.HardwareAddr(mac[:]).String()) },
		}),
		opt("--total-nodes", func(t *CLUSTERIP) *Opt[uint8] { return &t.Nodes }, option.Number[uint8](0, 16)),
		opt("--local-node", func(t *CLUSTERIP) *Opt[uint8] { return &t.Local }, option.Number[uint8](0, 16)),
		opt("--hash-init", func(t *CLUSTERIP) *Opt[uint32] { return &t.HashInit }, option.Number[uint32](0, 0xffffffff)),
	},
	Check: func(t *CLUSTERIP, _ option.Context) error {
		whole := t.New && t.HashMode != 0 && t.MAC != [6]byte{} && t.Nodes.ok && t.Local.ok
		switch {
		case *t == CLUSTERIP{}:
			return nil
		case !whole:
			return errors.New("invalid parameter combination: --new takes --hashmode, --clustermac, --total-nodes and --local-node")
		case t.MAC[0]&1 == 0:
			return errors.New("MAC has to be a multicast ethernet address")
		case t.HashMode > BySourcePorts || t.Nodes.v > 16 || t.Local.v > 16:
			return errors.New("a value is out of range")
		}
		t.HashInit.ok = true
		return nil
	},
	List: func(t CLUSTERIP, _ *option.Lister) string {
		if !t.New {
			return "CLUSTERIP"
		}
		return fmt.Sprintf("CLUSTERIP hashmode=%s clustermac=%s total_nodes=%d local_node=%d hash_init=%d", hashModes[t.HashMode],
			strings.ToUpper(net.HardwareAddr(t.MAC[:]).String()), t.Nodes.v, t.Local.v, t.HashInit.v)
	},
}

// Compile is an error: no kernel has it.
func (CLUSTERIP) Compile(program.Action) error {
	return &program.InexactError{Extension: "CLUSTERIP", Why: "it was removed from the kernel in Linux 6.3", Hint: "use the match cluster"}
}
