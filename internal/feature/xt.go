package feature

import "strings"

// full completes a feature of the lists below. An xt extension of which they say
// nothing else is in a module of its own name, with an option of its own.
func (f Feature) full(k Kind) Feature {
	f.Kind = k
	if f.Module != "" || f.Config != "" {
		return f
	}
	switch k {
	case Match:
		f.Module, f.Config = "xt_"+f.Name, "NETFILTER_XT_MATCH_"+strings.ToUpper(f.Name)
	case Target:
		f.Module, f.Config = "xt_"+f.Name, "NETFILTER_XT_TARGET_"+f.Name
	}
	return f
}

// matches are the xt matches that iptables 1.8.9 or Linux 6.18 has.
var matches = [...]Feature{
	{Name: "addrtype"},
	{Name: "ah", Module: "ipt_ah", Config: "IP_NF_MATCH_AH", Module6: "ip6t_ah", Config6: "IP6_NF_MATCH_AH"},
	{Name: "bpf", Needs: "the BPF program, pinned where --object-pinned says"},
	{Name: "cgroup", Needs: "the control group of --path"},
	{Name: "cluster"},
	{Name: "comment"},
	{Name: "connbytes"},
	{Name: "connlabel"},
	{Name: "connlimit"},
	{Name: "connmark", Module: "xt_connmark", Config: "NETFILTER_XT_CONNMARK"},
	{Name: "conntrack"},
	{Name: "cpu"},
	{Name: "dccp"},
	{Name: "devgroup"},
	{Name: "dscp"},
	{Name: "dst", Module: "ip6t_hbh", Config: "IP6_NF_MATCH_OPTS"},
	{Name: "ecn"},
	{Name: "esp"},
	{Name: "eui64", Module: "ip6t_eui64", Config: "IP6_NF_MATCH_EUI64"},
	{Name: "frag", Module: "ip6t_frag", Config: "IP6_NF_MATCH_FRAG"},
	{Name: "hashlimit"},
	{Name: "hbh", Module: "ip6t_hbh", Config: "IP6_NF_MATCH_OPTS"},
	{Name: "helper"},
	{Name: "hl"},
	{Name: "icmp", Module: "ip_tables", Config: "IP_NF_IPTABLES"},
	{Name: "icmp6", Module: "ip6_tables", Config: "IP6_NF_IPTABLES"},
	{Name: "ipcomp"},
	{Name: "iprange"},
	{Name: "ipv6header", Module: "ip6t_ipv6header", Config: "IP6_NF_MATCH_IPV6HEADER"},
	{Name: "ipvs", Needs: "IP virtual servers (CONFIG_IP_VS)"},
	{Name: "l2tp"},
	{Name: "length"},
	{Name: "limit"},
	{Name: "mac"},
	{Name: "mark", Module: "xt_mark", Config: "NETFILTER_XT_MARK"},
	{Name: "mh", Module: "ip6t_mh", Config: "IP6_NF_MATCH_MH"},
	{Name: "multiport"},
	{Name: "nfacct", Needs: "the accounting object of that name (nfacct add NAME)"},
	{Name: "osf"},
	{Name: "owner"},
	{Name: "physdev"},
	{Name: "pkttype"},
	{Name: "policy"},
	{Name: "quota"},
	{Name: "rateest", Needs: "an estimator that a rule with -j RATEEST has made before"},
	{Name: "realm"},
	{Name: "recent"},
	{Name: "rpfilter", Module: "ipt_rpfilter", Config: "IP_NF_MATCH_RPFILTER", Module6: "ip6t_rpfilter", Config6: "IP6_NF_MATCH_RPFILTER"},
	{Name: "rt", Module: "ip6t_rt", Config: "IP6_NF_MATCH_RT"},
	{Name: "sctp"},
	{Name: "set", Module: "xt_set", Config: "NETFILTER_XT_SET", Needs: "the set of that name (ipset create NAME …)"},
	{Name: "socket"},
	{Name: "srh", Module: "ip6t_srh", Config: "IP6_NF_MATCH_SRH", Since: "4.16"},
	{Name: "state"},
	{Name: "statistic"},
	{Name: "string", Needs: "the search algorithm (CONFIG_TEXTSEARCH_BM, CONFIG_TEXTSEARCH_KMP)"},
	{Name: "tcp", Module: "xt_tcpudp", Config: "NETFILTER_XTABLES"},
	{Name: "tcpmss"},
	{Name: "time"},
	{Name: "tos", Module: "xt_dscp", Config: "NETFILTER_XT_MATCH_DSCP"},
	{Name: "ttl", Module: "xt_hl", Config: "NETFILTER_XT_MATCH_HL"},
	{Name: "u32"},
	{Name: "udp", Module: "xt_tcpudp", Config: "NETFILTER_XTABLES"},
	{Name: "udplite", Module: "xt_tcpudp", Config: "NETFILTER_XTABLES"},
}

// targets are the xt targets that iptables 1.8.9 or Linux 6.18 has.
var targets = [...]Feature{
	{Name: "AUDIT"},
	{Name: "CHECKSUM"},
	{Name: "CLASSIFY"},
	{
		Name: "CLUSTERIP", Module: "ipt_CLUSTERIP", Config: "IP_NF_TARGET_CLUSTERIP", Gone: "6.3",
		Why: "and nf_tables never had it", Instead: "the match cluster, or a floating address (VRRP)",
	},
	{Name: "CONNMARK", Module: "xt_connmark", Config: "NETFILTER_XT_CONNMARK"},
	{Name: "CONNSECMARK", Needs: "a security module that labels packets (SELinux with a policy loaded)"},
	{Name: "CT", Needs: "the helper's module (nf_conntrack_ftp for ftp), or the timeout policy of that name"},
	{Name: "DNAT", Module: "xt_nat", Config: "NETFILTER_XT_NAT"},
	{Name: "DNPT", Module: "ip6t_NPT", Config: "IP6_NF_TARGET_NPT"},
	{Name: "DSCP"},
	{Name: "ECN", Module: "ipt_ECN", Config: "IP_NF_TARGET_ECN"},
	{Name: "HL"},
	{Name: "HMARK"},
	{Name: "IDLETIMER"},
	{Name: "LED", Needs: "a light (CONFIG_LEDS_TRIGGERS)"},
	{Name: "LOG"},
	{Name: "MARK", Module: "xt_mark", Config: "NETFILTER_XT_MARK"},
	{Name: "MASQUERADE"},
	{Name: "NETMAP"},
	{Name: "NFLOG"},
	{Name: "NFQUEUE"},
	{Name: "NOTRACK", Module: "xt_CT", Config: "NETFILTER_XT_TARGET_CT"},
	{Name: "RATEEST"},
	{Name: "REDIRECT"},
	{Name: "REJECT", Module: "ipt_REJECT", Config: "IP_NF_TARGET_REJECT", Module6: "ip6t_REJECT", Config6: "IP6_NF_TARGET_REJECT"},
	{Name: "SECMARK", Needs: "a security module with that context (SELinux with a policy loaded)"},
	{Name: "SET", Module: "xt_set", Config: "NETFILTER_XT_SET", Needs: "the set of that name (ipset create NAME …)"},
	{Name: "SNAT", Module: "xt_nat", Config: "NETFILTER_XT_NAT"},
	{Name: "SNPT", Module: "ip6t_NPT", Config: "IP6_NF_TARGET_NPT"},
	{
		Name: "SYNPROXY", Module: "ipt_SYNPROXY", Config: "IP_NF_TARGET_SYNPROXY",
		Module6: "ip6t_SYNPROXY", Config6: "IP6_NF_TARGET_SYNPROXY",
	},
	{Name: "TCPMSS"},
	{Name: "TCPOPTSTRIP"},
	{Name: "TEE"},
	{Name: "TOS", Module: "xt_DSCP", Config: "NETFILTER_XT_TARGET_DSCP"},
	{Name: "TPROXY"},
	{Name: "TRACE"},
	{Name: "TTL", Module: "xt_HL", Config: "NETFILTER_XT_TARGET_HL"},
	{
		Name: "ULOG", Module: "ipt_ULOG", Config: "IP_NF_TARGET_ULOG", Gone: "3.17",
		Instead: "NFLOG",
	},
}
