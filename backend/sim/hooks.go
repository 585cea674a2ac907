package sim

import "github.com/gatehouse-fw/gatehouse/internal/program"

// maxUserData is NFT_USERDATA_MAXLEN.
const maxUserData = 256

// hooksOf are the NF_INET_* hooks of each chain type, a bit each.
var hooksOf = map[string]uint32{
	"filter": 1<<0 | 1<<1 | 1<<2 | 1<<3 | 1<<4,
	"nat":    1<<0 | 1<<1 | 1<<3 | 1<<4,
	"route":  1 << 3,
}

// natAfter is NF_IP_PRI_CONNTRACK: what nat chains must come after.
const natAfter = -200

// fits says whether a base chain can be where it says.
func fits(f program.Family, c *program.Chain) *refusal {
	hooks, known := hooksOf[c.Hook.Type]
	switch {
	case f != program.IP && f != program.IP6 && f != program.Inet:
		return refuse(errUnfit)
	case !known:
		return refuse(errMissing)
	case c.Hook.Num > 4 || hooks&(1<<c.Hook.Num) == 0:
		return refuse(errUnfit)
	case c.Hook.Type == "nat" && c.Hook.Priority <= natAfter:
		return refuse(errUnfit)
	case c.Policy != program.NFAccept && c.Policy != program.NFDrop:
		return refuse(errWrong)
	}
	return nil
}
