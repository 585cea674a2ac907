package xt

// CPU is struct xt_cpu_info (include/uapi/linux/netfilter/xt_cpu.h), revision 0.
type CPU struct{ CPU, Invert uint32 }
