package xt

// Comment is struct xt_comment_info (include/uapi/linux/netfilter/xt_comment.h), revision 0.
type Comment struct {
	Text [256]byte // ends in a zero byte
}
