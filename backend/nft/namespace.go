package nft

import (
	"fmt"
	"os"
	"strings"
)

// Namespace is a network namespace. Made by Here, Name, Path, PID or FD. The
// zero value is the calling thread's namespace at the time it is used.
type Namespace struct {
	path string
	file *os.File // closed when nobody refers to it any more
	fd   int      // of the caller, plus 1; 0: none
	err  error    // what naming it failed with
}

// here is the calling thread's namespace as a file.
const here = "/proc/thread-self/ns/net"

// Here is the calling thread's namespace, as of this call.
func Here() Namespace {
	f, err := os.Open(here)
	return Namespace{file: f, err: err}
}

// Name is one made by "ip netns add".
func Name(name string) Namespace {
	if name == "" || name == "." || name == ".." || strings.ContainsRune(name, '/') {
		return Namespace{err: fmt.Errorf("%q is no name of a network namespace", name)}
	}
	return Path("/run/netns/" + name)
}

// Path is a namespace by a file that stands for it: "/run/netns/blue",
// "/proc/123/ns/net".
func Path(path string) Namespace { return Namespace{path: path} }

// PID is the namespace of a process.
func PID(pid int) Namespace { return Path(fmt.Sprintf("/proc/%d/ns/net", pid)) }

// FD is a namespace by an open file that stands for it, which stays the
// caller's and must be open until the namespace is used.
func FD(fd int) Namespace { return Namespace{fd: fd + 1} }
