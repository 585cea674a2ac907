package xt

// Cluster is struct xt_cluster_match_info
// (include/uapi/linux/netfilter/xt_cluster.h), revision 0.
type Cluster struct {
	Total, Nodes, Seed, Flags uint32
}

// ClusterInvert is the bit of Cluster.Flags.
const ClusterInvert = 1
