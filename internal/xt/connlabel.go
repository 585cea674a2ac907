package xt

// Connlabel is struct xt_connlabel_mtinfo
// (include/uapi/linux/netfilter/xt_connlabel.h), revision 0.
type Connlabel struct{ Bit, Options uint16 }

// The bits of Connlabel.Options.
const (
	ConnlabelInvert = 1 << 0
	ConnlabelSet    = 1 << 1
)
