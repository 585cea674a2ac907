//go:build linux

package lab

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"syscall"
	"testing"
)

// portUnreachable is what the kernel queues when 192.168.1.101 says that a port
// is unreachable: struct cmsghdr, sock_extended_err, sockaddr_in.
func portUnreachable() []byte {
	b := make([]byte, 48)
	binary.NativeEndian.PutUint64(b, 48)                              // cmsg_len
	binary.NativeEndian.PutUint32(b[8:], uint32(syscall.IPPROTO_IP))  // cmsg_level
	binary.NativeEndian.PutUint32(b[12:], uint32(syscall.IP_RECVERR)) // cmsg_type
	binary.NativeEndian.PutUint32(b[16:], uint32(syscall.ECONNREFUSED))
	b[20], b[21], b[22] = 2, 3, 3 // origin ICMP, type, code
	binary.NativeEndian.PutUint16(b[32:], syscall.AF_INET)
	copy(b[36:], []byte{192, 168, 1, 101})
	return b
}

func FuzzParseQueued(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(portUnreachable())
	f.Add(portUnreachable()[:40])
	want := ICMP{From: netip.MustParseAddr("192.168.1.101"), Type: 3, Code: 3}
	if errno, icmp := parseQueued(portUnreachable()); errno != syscall.ECONNREFUSED || icmp != want {
		f.Errorf("got %v, %+v", errno, icmp)
	}
	f.Fuzz(func(t *testing.T, oob []byte) {
		if _, icmp := parseQueued(oob); icmp != (ICMP{}) && !icmp.From.IsValid() {
			t.Errorf("an error from nobody: %+v", icmp)
		}
	})
}

func FuzzQuoted(f *testing.F) {
	request := echo(8, 7)
	v4 := append(append([]byte{3, 3, 0, 0, 0, 0, 0, 0, 0x46}, make([]byte, 23)...), request...) // a header of 24 bytes
	v6 := append(append([]byte{1, 4, 0, 0, 0, 0, 0, 0, 0x60}, make([]byte, 39)...), request...)
	for _, m := range [][]byte{nil, v4, v6, v4[:20], v6[:40], request} {
		f.Add(m, false)
		f.Add(m, true)
	}
	if got, ok := quoted(v4, false); !ok || !bytes.Equal(got, request) {
		f.Errorf("IPv4: %x, %v", got, ok)
	}
	if got, ok := quoted(v6, true); !ok || !bytes.Equal(got, request) {
		f.Errorf("IPv6: %x, %v", got, ok)
	}
	f.Fuzz(func(t *testing.T, m []byte, six bool) {
		if got, ok := quoted(m, six); ok && !bytes.HasSuffix(m, got) {
			t.Errorf("%x does not end in %x", m, got)
		}
	})
}
