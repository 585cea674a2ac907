package xt

// EUI64 is the int that ip6tables sends for the match eui64, which has nothing to
// say; the kernel does not look at it.
type EUI64 struct{ _ int32 }
