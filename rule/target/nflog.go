package target

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// NFLog is -j NFLOG: it sends the packet to the programs that listen to a group
// of nfnetlink_log (ulogd), and goes on with the next rule. The zero value is
// group 0 without a prefix.
//
//	--nflog-group number  --nflog-prefix text  --nflog-size bytes
//	--nflog-threshold packets  --nflog-range bytes
//
// It is native in every family, nf_tables' log expression with a group, as
// iptables-nft has it too. --nflog-range is read and forgotten, as iptables-nft
// does: it never had an effect. A prefix with " or $ works, but nft's grammar has
// no way to say one: see Log. It mirrors net/netfilter/xt_NFLOG.c.
type NFLog struct {
	Group     uint16    // --nflog-group
	Prefix    string    // --nflog-prefix, at most 63 bytes on one line; "": none
	Size      NFLogSize // --nflog-size; zero: as many bytes as the listener wants
	Threshold uint16    // --nflog-threshold: packets that the kernel gathers; zero: as the listener wants

	ranged bool // while options are read: --nflog-range was
}

// NFLogSize is how many bytes of a packet are sent at most. Made by Bytes; the
// zero value is as many as the listener wants, which Bytes(0), none, is not.
type NFLogSize struct {
	bytes uint32
	given bool
}

// Bytes is "--nflog-size n".
func Bytes(n uint32) NFLogSize { return NFLogSize{n, true} }

// Get is what Bytes was given; ok is false for the zero value.
func (s NFLogSize) Get() (n uint32, ok bool) { return s.bytes, s.given }

// maxNFLogPrefix is the prefix of struct xt_nflog_info less the end of the string.
const maxNFLogPrefix = 63

// Name is "NFLOG".
func (NFLog) Name() string { return nflog.Name }

func (NFLog) ext() option.Extension { return nflog }

var nflog = &option.Spec[NFLog]{
	Name: "NFLOG",
	Rows: []option.Row[NFLog]{
		{
			Name: "--nflog-prefix", Args: 1, Want: "a text of 1 to 63 bytes",
			Set: setNFLogPrefix,
			Get: func(t *NFLog, _ nf.Family) (bool, string, bool) {
				return false, option.Quote(t.Prefix), t.Prefix != ""
			},
		},
		option.Field("--nflog-group", func(t *NFLog) *uint16 { return &t.Group }, option.Number[uint16](0, 65535)),
		{
			Name: "--nflog-range", Args: 1, Want: "a number from 0 to 4294967295",
			Set: func(t *NFLog, _ bool, w []string, _ option.Context) error {
				_, err := option.Uint(w[0], 0, 0xffffffff)
				t.ranged = true
				return t.alone(err)
			},
		},
		{
			Name: "--nflog-size", Args: 1, Want: "a number from 0 to 4294967295",
			Set: func(t *NFLog, _ bool, w []string, _ option.Context) error {
				n, err := option.Uint(w[0], 0, 0xffffffff)
				t.Size = Bytes(uint32(n))
				return t.alone(err)
			},
			Get: func(t *NFLog, _ nf.Family) (bool, string, bool) {
				return false, strconv.FormatUint(uint64(t.Size.bytes), 10), t.Size.given
			},
		},
		option.Field("--nflog-threshold", func(t *NFLog) *uint16 { return &t.Threshold }, option.Number[uint16](0, 65535)),
	},
	Check: func(t *NFLog, _ option.Context) error {
		t.ranged = false
		switch {
		case len(t.Prefix) > maxNFLogPrefix:
			return fmt.Errorf("--nflog-prefix: %d bytes, %d at most", len(t.Prefix), maxNFLogPrefix)
		case strings.ContainsAny(t.Prefix, "\n\x00"):
			return errors.New("--nflog-prefix: must be one line")
		}
		return nil
	},
	List:         func(t NFLog, _ *option.Lister) string { return t.words() },
	Read:         readNFLog,
	SharedNative: true,
}

// alone refuses --nflog-size and --nflog-range together.
func (t *NFLog) alone(err error) error {
	if err == nil && t.ranged && t.Size.given {
		err = errors.New("option \"--nflog-range\" cannot be used together with \"--nflog-size\"")
	}
	return err
}

// setNFLogPrefix cuts a longer prefix off, as iptables-legacy does on its command
// line; in a literal it is an error.
func setNFLogPrefix(t *NFLog, _ bool, w []string, _ option.Context) error {
	switch {
	case w[0] == "":
		return errors.New("argument must have a minimum length of 1 characters")
	case strings.ContainsAny(w[0], "\n\x00"):
		return errors.New("newlines not allowed in --nflog-prefix")
	}
	t.Prefix = w[0][:min(len(w[0]), maxNFLogPrefix)]
	return nil
}

// words is what iptables -L prints.
func (t NFLog) words() string {
	var words []string
	if t.Prefix != "" {
		words = append(words, "nflog-prefix "+option.Quote(t.Prefix))
	}
	if t.Group != 0 {
		words = append(words, fmt.Sprintf("nflog-group %d", t.Group))
	}
	if n, ok := t.Size.Get(); ok {
		words = append(words, fmt.Sprintf("nflog-size %d", n))
	}
	if t.Threshold != 0 {
		words = append(words, fmt.Sprintf("nflog-threshold %d", t.Threshold))
	}
	return strings.Join(words, " ")
}

func readNFLog(r *program.Reader) (t NFLog, ok bool) {
	e, ok := r.Item(0).(program.Log)
	if !ok || !e.HasGroup || len(e.Prefix) > maxNFLogPrefix {
		return t, false
	}
	r.Take(1)
	t = NFLog{Group: e.Group, Prefix: e.Prefix, Threshold: e.QThreshold}
	if e.Snaplen != 0 || e.NoBytes {
		t.Size = Bytes(e.Snaplen)
	}
	return t, true
}

// Compile adds the log expression.
func (t NFLog) Compile(a program.Action) error {
	n, given := t.Size.Get()
	a.Add(program.Log{
		HasGroup: true, Group: t.Group, Prefix: t.Prefix,
		Snaplen: n, NoBytes: given && n == 0, QThreshold: t.Threshold,
	})
	return nil
}
