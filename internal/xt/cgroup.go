package xt

// Cgroup is struct xt_cgroup_info_v2 (include/uapi/linux/netfilter/xt_cgroup.h),
// revision 2, with a path.
type Cgroup struct {
	HasPath, HasID       uint8
	InvertPath, InvertID uint8
	Path                 [512]byte // ends in a zero byte
	_                    [4]byte
	Priv                 uint64 // the kernel's pointer; 0 where read
}

// CgroupID is the same struct with a class.
type CgroupID struct {
	HasPath, HasID       uint8
	InvertPath, InvertID uint8
	ID                   uint32
	_                    [512]byte
	Priv                 uint64
}
