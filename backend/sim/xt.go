package sim

import (
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// revisions is a bit for each revision of an xt extension that there is.
type revisions uint8

func revs(first, last int) revisions { return 1<<(last+1) - 1<<first }

// extension says where an xt extension can be used, by family of table.
type extension struct{ ip, ip6, inet revisions }

// knows says whether Linux 6.18 has an extension for tables of a family.
func knows(x driver.XT) bool {
	e := xtMatches[x.Name]
	if x.Target {
		e = xtTargets[x.Name]
	}
	var r revisions
	switch x.Family {
	case program.IP:
		r = e.ip
	case program.IP6:
		r = e.ip6
	case program.Inet:
		r = e.inet
	}
	return x.Rev < 8 && r>>x.Rev&1 != 0
}

// The extensions of Linux 6.18, as NFNL_MSG_COMPAT_GET answers for ip and ip6.
// In inet tables those can be used that the kernel has for no family in particular.
var xtMatches = map[string]extension{
	"addrtype":   {ip: revs(0, 1), ip6: revs(1, 1)},
	"ah":         {ip: revs(0, 0), ip6: revs(0, 0)},
	"bpf":        {ip: revs(0, 1), ip6: revs(0, 1), inet: revs(0, 1)},
	"cgroup":     {ip: revs(0, 2), ip6: revs(0, 2), inet: revs(0, 2)},
	"cluster":    {ip: revs(0, 0), ip6: revs(0, 0)},
	"comment":    {ip: revs(0, 0), ip6: revs(0, 0), inet: revs(0, 0)},
	"connbytes":  {ip: revs(0, 0), ip6: revs(0, 0), inet: revs(0, 0)},
	"connlabel":  {ip: revs(0, 0), ip6: revs(0, 0), inet: revs(0, 0)},
	"connlimit":  {ip: revs(1, 1), ip6: revs(1, 1)},
	"connmark":   {ip: revs(1, 1), ip6: revs(1, 1), inet: revs(1, 1)},
	"conntrack":  {ip: revs(1, 3), ip6: revs(1, 3), inet: revs(1, 3)},
	"cpu":        {ip: revs(0, 0), ip6: revs(0, 0), inet: revs(0, 0)},
	"dccp":       {ip: revs(0, 0), ip6: revs(0, 0)},
	"devgroup":   {ip: revs(0, 0), ip6: revs(0, 0), inet: revs(0, 0)},
	"dscp":       {ip: revs(0, 0), ip6: revs(0, 0)},
	"dst":        {ip6: revs(0, 0)},
	"ecn":        {ip: revs(0, 0), ip6: revs(0, 0)},
	"esp":        {ip: revs(0, 0), ip6: revs(0, 0)},
	"eui64":      {ip6: revs(0, 0)},
	"frag":       {ip6: revs(0, 0)},
	"hashlimit":  {ip: revs(1, 3), ip6: revs(1, 3)},
	"hbh":        {ip6: revs(0, 0)},
	"helper":     {ip: revs(0, 0), ip6: revs(0, 0), inet: revs(0, 0)},
	"hl":         {ip6: revs(0, 0)},
	"icmp":       {ip: revs(0, 0)},
	"icmp6":      {ip6: revs(0, 0)},
	"ipcomp":     {ip: revs(0, 0), ip6: revs(0, 0)},
	"iprange":    {ip: revs(1, 1), ip6: revs(1, 1)},
	"ipv6header": {ip6: revs(0, 0)},
	"length":     {ip: revs(0, 0), ip6: revs(0, 0)},
	"limit":      {ip: revs(0, 0), ip6: revs(0, 0), inet: revs(0, 0)},
	"mac":        {ip: revs(0, 0), ip6: revs(0, 0)},
	"mark":       {ip: revs(1, 1), ip6: revs(1, 1), inet: revs(1, 1)},
	"mh":         {ip6: revs(0, 0)},
	"multiport":  {ip: revs(1, 1), ip6: revs(1, 1)},
	"nfacct":     {ip: revs(0, 1), ip6: revs(0, 1), inet: revs(0, 1)},
	"osf":        {ip: revs(0, 0)},
	"owner":      {ip: revs(1, 1), ip6: revs(1, 1)},
	"physdev":    {ip: revs(0, 0), ip6: revs(0, 0)},
	"pkttype":    {ip: revs(0, 0), ip6: revs(0, 0), inet: revs(0, 0)},
	"policy":     {ip: revs(0, 0), ip6: revs(0, 0)},
	"quota":      {ip: revs(0, 0), ip6: revs(0, 0), inet: revs(0, 0)},
	"rateest":    {ip: revs(0, 0), ip6: revs(0, 0), inet: revs(0, 0)},
	"realm":      {ip: revs(0, 0)},
	"recent":     {ip: revs(0, 1), ip6: revs(0, 1)},
	"rpfilter":   {ip: revs(0, 0), ip6: revs(0, 0)},
	"rt":         {ip6: revs(0, 0)},
	"sctp":       {ip: revs(0, 0), ip6: revs(0, 0)},
	"set":        {ip: revs(0, 4), ip6: revs(1, 4)},
	"socket":     {ip: revs(0, 3), ip6: revs(1, 3)},
	"srh":        {ip6: revs(0, 1)},
	"state":      {ip: revs(0, 0), ip6: revs(0, 0), inet: revs(0, 0)},
	"statistic":  {ip: revs(0, 0), ip6: revs(0, 0), inet: revs(0, 0)},
	"string":     {ip: revs(1, 1), ip6: revs(1, 1), inet: revs(1, 1)},
	"tcp":        {ip: revs(0, 0), ip6: revs(0, 0)},
	"tcpmss":     {ip: revs(0, 0), ip6: revs(0, 0)},
	"time":       {ip: revs(0, 0), ip6: revs(0, 0), inet: revs(0, 0)},
	"tos":        {ip: revs(1, 1), ip6: revs(1, 1)},
	"ttl":        {ip: revs(0, 0)},
	"u32":        {ip: revs(0, 0), ip6: revs(0, 0), inet: revs(0, 0)},
	"udp":        {ip: revs(0, 0), ip6: revs(0, 0)},
	"udplite":    {ip: revs(0, 0), ip6: revs(0, 0)},
}

var xtTargets = map[string]extension{
	"AUDIT":       {ip: revs(0, 0), ip6: revs(0, 0), inet: revs(0, 0)},
	"CHECKSUM":    {ip: revs(0, 0), ip6: revs(0, 0)},
	"CLASSIFY":    {ip: revs(0, 0), ip6: revs(0, 0)},
	"CONNMARK":    {ip: revs(1, 2), ip6: revs(1, 2)},
	"CONNSECMARK": {ip: revs(0, 0), ip6: revs(0, 0)},
	"CT":          {ip: revs(0, 2), ip6: revs(0, 2)},
	"DNAT":        {ip: revs(0, 2), ip6: revs(1, 2)},
	"DNPT":        {ip6: revs(0, 0)},
	"DSCP":        {ip: revs(0, 0), ip6: revs(0, 0)},
	"ECN":         {ip: revs(0, 0)},
	"HL":          {ip6: revs(0, 0)},
	"HMARK":       {ip: revs(0, 0), ip6: revs(0, 0)},
	"IDLETIMER":   {ip: revs(0, 1), ip6: revs(0, 1)},
	"LOG":         {ip: revs(0, 0), ip6: revs(0, 0)},
	"MARK":        {ip: revs(2, 2), ip6: revs(2, 2)},
	"MASQUERADE":  {ip: revs(0, 0), ip6: revs(0, 0)},
	"NETMAP":      {ip: revs(0, 0), ip6: revs(0, 0)},
	"NFLOG":       {ip: revs(0, 0), ip6: revs(0, 0)},
	"NFQUEUE":     {ip: revs(0, 3), ip6: revs(0, 3), inet: revs(0, 3)},
	"NOTRACK":     {ip: revs(0, 0), ip6: revs(0, 0)},
	"RATEEST":     {ip: revs(0, 0), ip6: revs(0, 0)},
	"REDIRECT":    {ip: revs(0, 0), ip6: revs(0, 0)},
	"REJECT":      {ip: revs(0, 0), ip6: revs(0, 0)},
	"SECMARK":     {ip: revs(0, 1), ip6: revs(0, 1)},
	"SET":         {ip: revs(0, 3), ip6: revs(1, 3)},
	"SNAT":        {ip: revs(0, 2), ip6: revs(1, 2)},
	"SNPT":        {ip6: revs(0, 0)},
	"SYNPROXY":    {ip: revs(0, 0), ip6: revs(0, 0)},
	"TCPMSS":      {ip: revs(0, 0), ip6: revs(0, 0)},
	"TCPOPTSTRIP": {ip: revs(0, 0), ip6: revs(0, 0)},
	"TEE":         {ip: revs(1, 1), ip6: revs(1, 1)},
	"TOS":         {ip: revs(1, 1), ip6: revs(1, 1)},
	"TPROXY":      {ip: revs(0, 1), ip6: revs(1, 1)},
	"TRACE":       {ip: revs(0, 0), ip6: revs(0, 0)},
	"TTL":         {ip: revs(0, 0)},
}
