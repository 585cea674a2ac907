package chain

import (
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// MaxName is how long a chain's name may be, in bytes: XT_EXTENSION_MAXNAMELEN
// less the end of the string.
const MaxName = 28

// CheckName says why iptables 1.8.9 would refuse a name for a user chain, or
// nil. The error is ErrName and says what iptables says. Three things are
// stricter: a name that is a target in either family is refused (iptables does
// not mind a chain TTL under ip6tables); so are the names of our own targets XT
// and NFT, since "-j XT" would not mean the chain; and so is a name with a
// double quote, which iptables-restore could not read back.
func CheckName(name string) error {
	switch {
	case strings.HasPrefix(name, "-") || strings.HasPrefix(name, "!"):
		return fmt.Errorf("%w: chain name not allowed to start with `%c'", ErrName, name[0])
	case len(name) > MaxName:
		return fmt.Errorf("%w: chain name `%s' too long (must be under %d chars)", ErrName, name, MaxName+1)
	case name == "":
		return fmt.Errorf("%w: empty", ErrName)
	case Reserved(name):
		return fmt.Errorf("%w: chain name may not clash with target name `%s'", ErrName, name)
	case strings.ContainsAny(name, " \t\n\v\f\r\x00\""):
		return fmt.Errorf("%w: Invalid chain name `%s'", ErrName, name)
	}
	return nil
}

// Reserved says whether a name is a verdict's or a target's, in iptables 1.8.9
// or in this release: no chain may have it.
func Reserved(name string) bool {
	_, known := target.Find(name)
	return known || strings.Contains(targets, " "+name+" ")
}

// targets are the verdicts and the targets that iptables and ip6tables 1.8.9
// come with.
const targets = " ACCEPT DROP QUEUE RETURN standard AUDIT CHECKSUM CLASSIFY CLUSTERIP CONNMARK CONNSECMARK CT DNAT" +
	" DNPT DSCP ECN HL HMARK IDLETIMER LED LOG MARK MASQUERADE NETMAP NFLOG NFQUEUE NOTRACK RATEEST REDIRECT" +
	" REJECT SECMARK SET SNAT SNPT SYNPROXY TCPMSS TCPOPTSTRIP TEE TOS TPROXY TRACE TTL ULOG "
