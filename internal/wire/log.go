package wire

import "github.com/gatehouse-fw/gatehouse/internal/program"

// NFTA_LOG_*; net/netfilter/nft_log.c.
const (
	logGroup      = 1
	logPrefix     = 2
	logSnaplen    = 3
	logQThreshold = 4
	logLevel      = 5
	logFlags      = 6
)

// log writes what the kernel dumps: for nfnetlink the group, the length
// where one was said, and what is not 0 of the others, else the level and, where not 0, the flags.
func (w *writer) log(e program.Log) {
	at := w.begin("log")
	if e.Prefix != "" {
		w.str(logPrefix, e.Prefix)
	}
	if e.HasGroup {
		w.u16(logGroup, e.Group)
		if e.Snaplen != 0 || e.NoBytes {
			w.u32(logSnaplen, e.Snaplen)
		}
		if e.QThreshold != 0 {
			w.u16(logQThreshold, e.QThreshold)
		}
	} else {
		w.u32(logLevel, e.Level)
		w.some(logFlags, e.Flags)
	}
	w.done(at)
}

func decodeLog(f *fields) program.Expr {
	e := program.Log{
		Prefix: f.str(logPrefix), Level: f.u32(logLevel), Flags: f.u32(logFlags),
		HasGroup: f[logGroup] != nil, Group: f.u16(logGroup),
		Snaplen: f.u32(logSnaplen), QThreshold: f.u16(logQThreshold),
	}
	e.NoBytes = f[logSnaplen] != nil && e.Snaplen == 0
	return e
}
