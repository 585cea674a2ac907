package constset

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// maxName is the longest name: what older kernels and listings take.
const maxName = 31

// field is how the keys of a type are written in a name.
type field struct {
	word string // the name's beginning
	len  uint32 // bytes of a key; of another length it is not that field
	host bool   // its keys are host-order numbers
	key  func(k string) string
}

// fieldOf knows the types that people read; ok is false for all others.
func fieldOf(c program.ConstSet) (f field, ok bool) {
	switch c.Type {
	case program.TypeService:
		f = field{"ports", 2, false, decimal}
	case program.TypeProto:
		f = field{"protos", 1, false, decimal}
	case program.TypeIPv4:
		f = field{"addrs", 4, false, dotted}
	case program.TypeIPv6:
		f = field{"addrs6", 16, false, nil} // nft's grammar takes no colon
	case program.TypeMark:
		f = field{"marks", 4, true, hexadecimal}
	case program.TypeUID:
		f = field{"uids", 4, true, decimal}
	case program.TypeGID:
		f = field{"gids", 4, true, decimal}
	}
	return f, f.word != "" && f.len == c.Len && f.host == c.Host
}

// baseName is what a list is called: "ports_25_80-90" where that is short, else
// a hash behind the word. Two lists have one name only if their hashes are equal.
func baseName(c program.ConstSet) string {
	f, ok := fieldOf(c)
	if !ok {
		f = field{word: fmt.Sprintf("set%d", c.Type)}
	}
	if f.key != nil {
		if name, ok := readable(f, c); ok {
			return name
		}
	}
	sum := sha256.New()
	about := binary.BigEndian.AppendUint32(nil, uint32(c.Type))
	about = binary.BigEndian.AppendUint32(about, c.Len)
	if c.Host {
		about = append(about, 1)
	}
	if !c.Interval {
		about = append(about, 2)
	}
	sum.Write(about)
	sum.Write([]byte(c.Elems))
	return f.word + "_" + hex.EncodeToString(sum.Sum(nil)[:8])
}

// readable writes the list out; ok is false where it is empty or gets too long,
// and for ranges of one key each, which would read like a list of single keys.
func readable(f field, c program.ConstSet) (name string, ok bool) {
	var b strings.Builder
	b.WriteString(f.word)
	keys := c.Keys()
	step := 1
	if c.Interval {
		step = 2
	}
	ranges := !c.Interval
	for i := 0; i+step <= len(keys); i += step {
		b.WriteByte('_')
		b.WriteString(f.key(keys[i]))
		if last := keys[i+step-1]; last != keys[i] {
			ranges = true
			b.WriteByte('-')
			b.WriteString(f.key(last))
		}
		if b.Len() > maxName {
			return "", false
		}
	}
	return b.String(), ranges && len(keys) > 0
}

func number(k string) uint64 {
	n, _ := program.Value{Data: k}.Uint()
	return n
}

func decimal(k string) string     { return strconv.FormatUint(number(k), 10) }
func hexadecimal(k string) string { return "0x" + strconv.FormatUint(number(k), 16) }

func dotted(k string) string {
	a, _ := netip.AddrFromSlice([]byte(k))
	return a.String()
}

// nth is the name for a list that finds n others' sets in its place:
// "ports_25.1".
func nth(base string, n int) string {
	if n == 0 {
		return base
	}
	return base + "." + strconv.Itoa(n)
}

// isName says whether Lower might have given a list that name.
func isName(name string, c program.ConstSet) bool {
	base := baseName(c)
	rest, ok := strings.CutPrefix(name, base)
	if !ok || rest == "" {
		return ok
	}
	digits, ok := strings.CutPrefix(rest, ".")
	n, err := strconv.Atoi(digits)
	return ok && err == nil && n > 0 && nth(base, n) == name
}
