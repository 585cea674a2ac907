package xt

// SynProxy is struct xt_synproxy_info (include/uapi/linux/netfilter/xt_SYNPROXY.h),
// revision 0.
type SynProxy struct {
	Options uint8
	WScale  uint8
	MSS     uint16
}

// The bits of SynProxy.Options.
const (
	SynProxyMSS       = 1 << 0
	SynProxyWScale    = 1 << 1
	SynProxySackPerm  = 1 << 2
	SynProxyTimestamp = 1 << 3
	SynProxyECN       = 1 << 4
)
