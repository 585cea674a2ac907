package packettest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
)

// The parts of nfnetlink that hand packets to programs: NFLOG and NFQUEUE.
const (
	logPacket, logConfig                     = 4 << 8, 4<<8 | 1
	queuePacket, queueVerdict, queueSettings = 3 << 8, 3<<8 | 1, 3<<8 | 2
)

// tracePacket is NFT_MSG_TRACE.
const tracePacket = 10<<8 | 17

// listener is a program that packets are handed to.
type listener struct{ fd int }

// handed is one packet that a listener got.
type handed struct {
	kind    uint16
	number  uint16 // the group, or the queue
	id      uint32 // of a queued or traced packet
	prefix  string
	payload string
}

func (h handed) String() string { return fmt.Sprintf("%d %q %x", h.number, h.prefix, h.payload) }

// listen opens a socket in a host's namespace.
func (w *world) listen(h *lab.Host) *listener {
	w.t.Helper()
	l := &listener{}
	w.must(h.Do(func() (err error) {
		l.fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
		if err != nil {
			return err
		}
		return unix.Bind(l.fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	}))
	return l
}

func (l *listener) close() { _ = unix.Close(l.fd) }

// attr is a netlink attribute.
func attr(kind uint16, data ...byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(data)))
	b = append(binary.NativeEndian.AppendUint16(b, kind), data...)
	return append(b, make([]byte, -len(b)&3)...)
}

// say sends one message about a group or queue, and waits for its acknowledgement.
func (l *listener) say(kind, number uint16, attrs ...[]byte) error {
	body := append([]byte{unix.AF_UNSPEC, 0}, binary.BigEndian.AppendUint16(nil, number)...)
	for _, a := range attrs {
		body = append(body, a...)
	}
	msg := binary.NativeEndian.AppendUint32(nil, uint32(16+len(body)))
	msg = binary.NativeEndian.AppendUint16(msg, kind)
	msg = binary.NativeEndian.AppendUint16(msg, unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	msg = append(append(msg, 1, 0, 0, 0, 0, 0, 0, 0), body...)
	if err := unix.Sendto(l.fd, msg, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	b := make([]byte, 1<<16)
	n, err := l.receive(b, 5*time.Second)
	switch {
	case err != nil:
		return err
	case n < 20 || binary.NativeEndian.Uint16(b[4:]) != unix.NLMSG_ERROR:
		return errors.New("no acknowledgement")
	}
	if code := int32(binary.NativeEndian.Uint32(b[16:])); code != 0 {
		return unix.Errno(-code)
	}
	return nil
}

// receive waits for one read of messages; 0 for silence.
func (l *listener) receive(b []byte, wait time.Duration) (int, error) {
	tv := unix.NsecToTimeval(int64(wait))
	if err := unix.SetsockoptTimeval(l.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv); err != nil {
		return 0, err
	}
	n, _, err := unix.Recvfrom(l.fd, b, 0)
	for errors.Is(err, unix.EINTR) {
		n, _, err = unix.Recvfrom(l.fd, b, 0)
	}
	if errors.Is(err, unix.EAGAIN) {
		return 0, nil
	}
	return n, err
}

// logs listens to a group of NFLOG, each packet at once and whole.
func (l *listener) logs(group uint16) error {
	return errors.Join(
		l.say(logConfig, group, attr(1, 1)),                      // NFULNL_CFG_CMD_BIND
		l.say(logConfig, group, attr(2, 0, 0, 0xff, 0xff, 2, 0)), // NFULNL_COPY_PACKET
		l.say(logConfig, group, attr(5, 0, 0, 0, 1)),             // NFULA_CFG_QTHRESH
	)
}

// queues listens to a queue of NFQUEUE.
func (l *listener) queues(number uint16) error {
	return errors.Join(
		l.say(queueSettings, number, attr(1, 1, 0, 0, unix.AF_INET)), // NFQNL_CFG_CMD_BIND
		l.say(queueSettings, number, attr(2, 0, 0, 0xff, 0xff, 2)),   // NFQNL_COPY_PACKET
	)
}

// traces listens to what nf_tables tells of packets that are traced.
func (l *listener) traces() error {
	const group = 9 // NFNLGRP_NFTRACE
	return unix.SetsockoptInt(l.fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, group)
}

// verdict says what becomes of a queued packet: NF_DROP or NF_ACCEPT.
func (l *listener) verdict(h handed, what uint32) error {
	v := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, what), h.id)
	return l.say(queueVerdict, h.number, attr(2, v...))
}

// hear collects what is handed over until there is silence.
func (l *listener) hear() (all []handed, err error) {
	b := make([]byte, 1<<16)
	for {
		n, err := l.receive(b, 2*silence)
		if err != nil || n == 0 {
			return all, err
		}
		for msg := b[:n]; len(msg) >= 20; {
			size := int(binary.NativeEndian.Uint32(msg))
			if size < 20 || size > len(msg) {
				return all, fmt.Errorf("a message of %d bytes in %d", size, len(msg))
			}
			if kind := binary.NativeEndian.Uint16(msg[4:]); kind == logPacket || kind == queuePacket || kind == tracePacket {
				all = append(all, packetOf(kind, msg[16:size]))
			}
			msg = msg[min(len(msg), (size+3)&^3):]
		}
	}
}

// packetOf reads a message's attributes.
func packetOf(kind uint16, b []byte) handed {
	h := handed{kind: kind, number: binary.BigEndian.Uint16(b[2:])}
	for b = b[4:]; len(b) >= 4; {
		size := int(binary.NativeEndian.Uint16(b))
		if size < 4 || size > len(b) {
			break
		}
		data := b[4:size]
		switch what := binary.NativeEndian.Uint16(b[2:]); {
		case kind == logPacket && what == 9, kind == queuePacket && what == 10:
			h.payload = string(data)
		case kind == logPacket && what == 10:
			h.prefix = string(data[:len(data)-1])
		case kind == queuePacket && what == 1, kind == tracePacket && what == 4:
			h.id = binary.BigEndian.Uint32(data)
		}
		b = b[min(len(b), (size+3)&^3):]
	}
	return h
}
