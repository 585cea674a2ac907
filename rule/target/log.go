package target

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Log is -j LOG: it writes a line to the kernel's log and goes on with the next
// rule. The zero value logs at level warning without a prefix.
//
//	--log-level level  --log-prefix text
//	--log-tcp-sequence  --log-tcp-options  --log-ip-options  --log-uid  --log-macdecode
//
// It is native in every family, nf_tables' log expression, which calls the same
// nf_log_packet as xt_LOG.c. In a network namespace other than the first the
// kernel prints nothing unless net.netfilter.nf_log_all_netns is set. A prefix
// with " or $ works, but nft's grammar has no way to say one, and nft does not
// load its own listing of it, or finds other words behind the quote: leave both
// out of a ruleset that is to be saved as nft's text. The kernel's xt_LOG would be
// no better, since nft lists it alike.
type Log struct {
	Prefix      string   // --log-prefix, at most 29 bytes on one line; "": none
	Level       LogLevel // --log-level; zero: warning
	TCPSequence bool     // --log-tcp-sequence
	TCPOptions  bool     // --log-tcp-options
	IPOptions   bool     // --log-ip-options
	UID         bool     // --log-uid: who owns the socket
	MACDecode   bool     // --log-macdecode: addresses of the link layer, one by one
}

// LogLevel is a syslog level plus one, so that the zero value is iptables' default, warning.
type LogLevel uint8

// The levels of syslog.
const (
	LogEmergency LogLevel = iota + 1 // emerg, panic
	LogAlert                         // alert
	LogCritical                      // crit
	LogError                         // error
	LogWarning                       // warning: the default, which the zero value means too
	LogNotice                        // notice
	LogInfo                          // info
	LogDebug                         // debug
)

// syslog is the kernel's number, 0 to 7.
func (l LogLevel) syslog() uint32 {
	if l == 0 {
		l = LogWarning
	}
	return uint32(l - 1)
}

// maxPrefix is the prefix of struct xt_log_info less the end of the string.
const maxPrefix = 29

// Name is "LOG".
func (Log) Name() string { return logger.Name }

func (Log) ext() option.Extension { return logger }

var logger = &option.Spec[Log]{
	Name: "LOG",
	Rows: []option.Row[Log]{
		{
			Name: "--log-prefix", Args: 1, Want: "a text of 1 to 29 bytes",
			Set: setPrefix,
			Get: func(t *Log, _ nf.Family) (bool, string, bool) {
				return false, option.Quote(t.Prefix), t.Prefix != ""
			},
		},
		option.Field("--log-level", func(t *Log) *LogLevel { return &t.Level }, option.Codec[LogLevel]{
			Want:  "a level from 0 to 7, or its name",
			Parse: parseLevel,
			Print: func(l LogLevel, _ nf.Family) string { return strconv.Itoa(int(l.syslog())) },
		}),
		option.Flag("--log-tcp-sequence", func(t *Log) *bool { return &t.TCPSequence }),
		option.Flag("--log-tcp-options", func(t *Log) *bool { return &t.TCPOptions }),
		option.Flag("--log-ip-options", func(t *Log) *bool { return &t.IPOptions }),
		option.Flag("--log-uid", func(t *Log) *bool { return &t.UID }),
		option.Flag("--log-macdecode", func(t *Log) *bool { return &t.MACDecode }),
	},
	Check: func(t *Log, _ option.Context) error {
		switch {
		case len(t.Prefix) > maxPrefix:
			return fmt.Errorf("--log-prefix: %d bytes, %d at most", len(t.Prefix), maxPrefix)
		case strings.ContainsAny(t.Prefix, "\n\x00"):
			return errors.New("--log-prefix: must be one line")
		case t.Level > LogDebug:
			return fmt.Errorf("log level %d is out of range", t.Level-1)
		case t.Level == LogWarning:
			t.Level = 0
		}
		return nil
	},
	List: listLog,
	Read: readLog,
	XT:   option.XTStruct(option.XT[Log]{Target: true}, 0, Log.blob, readLogBlob),
}

// setPrefix cuts a longer prefix off, as iptables does on its command line; in a
// literal it is an error.
func setPrefix(t *Log, _ bool, w []string, _ option.Context) error {
	switch {
	case w[0] == "":
		return errors.New("argument must have a minimum length of 1 characters")
	case strings.ContainsAny(w[0], "\n\x00"):
		return errors.New("newlines not allowed in --log-prefix")
	}
	t.Prefix = w[0][:min(len(w[0]), maxPrefix)]
	return nil
}

// levelNames are what --log-level takes; iptables has neither "err" nor "warn".
var levelNames = map[string]LogLevel{
	"emerg": LogEmergency, "panic": LogEmergency, "alert": LogAlert, "crit": LogCritical, "error": LogError,
	"warning": LogWarning, "notice": LogNotice, "info": LogInfo, "debug": LogDebug,
}

func parseLevel(w string, _ option.Context) (LogLevel, error) {
	if l, ok := levelNames[w]; ok {
		return l, nil
	}
	n, err := option.Uint(w, 0, 7)
	if err != nil {
		return 0, fmt.Errorf("log level %q unknown", w)
	}
	return LogLevel(n + 1), nil
}

// logFlags are NF_LOG_*, include/uapi/linux/netfilter/nf_log.h, in the order in
// which iptables -L prints them.
var logFlags = [...]struct {
	bit  uint32
	name string
	flag func(*Log) *bool
}{
	{1 << 0, "tcp-sequence", func(t *Log) *bool { return &t.TCPSequence }},
	{1 << 1, "tcp-options", func(t *Log) *bool { return &t.TCPOptions }},
	{1 << 2, "ip-options", func(t *Log) *bool { return &t.IPOptions }},
	{1 << 3, "uid", func(t *Log) *bool { return &t.UID }},
	{1 << 5, "macdecode", func(t *Log) *bool { return &t.MACDecode }},
}

func (t Log) flags() (bits uint32, names []string) {
	for _, f := range logFlags {
		if *f.flag(&t) {
			bits |= f.bit
			names = append(names, f.name)
		}
	}
	return bits, names
}

// listLevels are the levels as iptables -L names them.
var listLevels = [...]string{"emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"}

func listLog(t Log, l *option.Lister) string {
	bits, names := t.flags()
	s := fmt.Sprintf("LOG flags %d level %d", bits, t.Level.syslog())
	if !l.Numeric() {
		s = strings.Join(append([]string{"LOG level", listLevels[t.Level.syslog()&7]}, names...), " ")
	}
	if t.Prefix != "" {
		s += ` prefix "` + t.Prefix + `"`
	}
	return s
}

func readLog(r *program.Reader) (t Log, ok bool) {
	e, ok := r.Item(0).(program.Log)
	if !ok || e.HasGroup || e.Level > 7 || len(e.Prefix) > maxPrefix {
		return t, false
	}
	r.Take(1)
	t = Log{Prefix: e.Prefix, Level: LogLevel(e.Level + 1)}
	if t.Level == LogWarning {
		t.Level = 0
	}
	t.setFlags(e.Flags)
	return t, true
}

func (t *Log) setFlags(bits uint32) {
	for _, f := range logFlags {
		*f.flag(t) = bits&f.bit != 0
	}
}

// blob is what xt_LOG is given.
func (t Log) blob(program.Env) (b xtables.Log) {
	bits, _ := t.flags()
	b.Level, b.Flags = uint8(t.Level.syslog()), uint8(bits)
	copy(b.Prefix[:maxPrefix], t.Prefix)
	return b
}

func readLogBlob(b xtables.Log, _ program.Env) (t Log, ok bool) {
	t = Log{Prefix: xtables.String(b.Prefix[:]), Level: LogLevel(b.Level + 1)}
	if t.Level == LogWarning {
		t.Level = 0
	}
	t.setFlags(uint32(b.Flags))
	return t, b.Level <= 7
}

// Compile adds the log expression.
func (t Log) Compile(a program.Action) error {
	bits, _ := t.flags()
	a.Add(program.Log{Prefix: t.Prefix, Level: t.Level.syslog(), Flags: bits})
	return nil
}
