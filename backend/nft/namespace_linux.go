package nft

import (
	"fmt"
	"os"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// open is a file of our own for the namespace. Its number is 3 or more: the
// netlink library takes 0 for "none".
func (n Namespace) open() (netns.NsHandle, error) {
	if n.err != nil {
		return netns.None(), fmt.Errorf("network namespace: %w", n.err)
	}
	fd := n.fd - 1
	switch {
	case n.file != nil:
		fd = int(n.file.Fd())
	case n.fd == 0:
		path := n.path
		if path == "" {
			path = here
		}
		f, err := os.Open(path)
		if err != nil {
			return netns.None(), fmt.Errorf("network namespace: %w", err)
		}
		defer f.Close()
		fd = int(f.Fd())
	}
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return netns.None(), fmt.Errorf("network namespace: %w", os.NewSyscallError("fcntl", err))
	}
	kind, err := unix.IoctlRetInt(own, unix.NS_GET_NSTYPE)
	if err != nil || kind != unix.CLONE_NEWNET {
		unix.Close(own)
		return netns.None(), fmt.Errorf("network namespace: the file stands for something else")
	}
	return netns.NsHandle(own), nil
}

// owner is how /proc writes a namespace and the user namespace that it belongs
// to: "net:[4026531840]", "user:[4026531837]"; "" where the kernel does not say.
func owner(ns netns.NsHandle) (net, user string) {
	net = identity("net", int(ns))
	if fd, err := unix.IoctlRetInt(int(ns), unix.NS_GET_USERNS); err == nil {
		user = identity("user", fd)
		unix.Close(fd)
	}
	return net, user
}

func identity(kind string, fd int) string {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return ""
	}
	return fmt.Sprintf("%s:[%d]", kind, st.Ino)
}
