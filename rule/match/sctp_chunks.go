package match

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
)

// SCTPChunks is what --chunk-types asks of the chunks of an SCTP packet. Made by
// Chunks, EveryChunk or NoChunk; the zero value is an error.
type SCTPChunks struct {
	how   ChunkMatch
	every bool          // all 256 types
	types [4]uint64     // a bit for each type
	flags [4]chunkFlags // by type, the unused ones last
	err   string
}

// ChunkMatch is how the chunks of a packet are compared with a list.
type ChunkMatch uint8

const (
	AnyChunk  ChunkMatch = xtables.SCTPAny  // any: one chunk of the packet is in the list
	AllChunks ChunkMatch = xtables.SCTPAll  // all: of each type in the list there is one
	OnlyThese ChunkMatch = xtables.SCTPOnly // only: there is no chunk of another type
)

// SCTPChunk is a type of chunk, and the flags that such a chunk must have.
type SCTPChunk struct {
	Type  uint8 // as IANA numbers them: DATA is 0, INIT 1, …; one that iptables has a name for
	Mask  uint8 // the flags that are looked at; 0: none. Types above 14 can have none
	Flags uint8 // those of them that must be set
}

// chunkFlags is an entry of the kernel's list of flags.
type chunkFlags struct {
	used           bool
	typ, mask, set uint8
}

// chunkTypes are the types with their names, and the letters of the flags that
// they have, the highest bit first. "-" is the highest bit's.
var chunkTypes = [...]struct {
	typ   uint8
	name  string
	flags string
}{
	{0, "DATA", "----IUBE"}, {1, "INIT", "--------"}, {2, "INIT_ACK", "--------"}, {3, "SACK", "--------"},
	{4, "HEARTBEAT", "--------"}, {5, "HEARTBEAT_ACK", "--------"}, {6, "ABORT", "-------T"}, {7, "SHUTDOWN", "--------"},
	{8, "SHUTDOWN_ACK", "--------"}, {9, "ERROR", "--------"}, {10, "COOKIE_ECHO", "--------"}, {11, "COOKIE_ACK", "--------"},
	{12, "ECN_ECNE", "--------"}, {13, "ECN_CWR", "--------"}, {14, "SHUTDOWN_COMPLETE", "-------T"},
	{64, "I_DATA", ""}, {130, "RE_CONFIG", ""}, {132, "PAD", ""}, {193, "ASCONF", ""}, {128, "ASCONF_ACK", ""},
	{192, "FORWARD_TSN", ""}, {194, "I_FORWARD_TSN", ""},
}

// Chunks is "--chunk-types how list". At most four types of the list can have
// flags.
func Chunks(how ChunkMatch, list ...SCTPChunk) SCTPChunks {
	c := SCTPChunks{how: how}
	if len(list) == 0 {
		c.err = "no chunk: NoChunk says so on purpose"
	}
	for _, chunk := range list {
		if err := c.add(chunk); err != nil {
			return SCTPChunks{how: how, err: err.Error()}
		}
	}
	return c
}

// EveryChunk is "--chunk-types how ALL".
func EveryChunk(how ChunkMatch) SCTPChunks { return SCTPChunks{how: how, every: true} }

// NoChunk is "--chunk-types how NONE".
func NoChunk(how ChunkMatch) SCTPChunks { return SCTPChunks{how: how} }

// letters are the flags that a type can have; ok is false for a type without a name.
func letters(typ uint8) (flags string, ok bool) {
	for _, k := range chunkTypes {
		if k.typ == typ {
			return k.flags, true
		}
	}
	return "", false
}

// add adds a chunk, or flags to one that is there.
func (c *SCTPChunks) add(k SCTPChunk) error {
	flags, ok := letters(k.Type)
	if !ok {
		return fmt.Errorf("iptables has no name for chunk type %d", k.Type)
	}
	for i := range 8 {
		if bit := uint8(1) << i; (k.Mask|k.Flags)&bit != 0 && (flags == "" || flags[7-i] == '-' && i != 7) {
			return fmt.Errorf("invalid flags for chunk type %d", k.Type)
		}
	}
	if k.Flags&^k.Mask != 0 {
		return fmt.Errorf("chunk type %d: flags %#x are wanted that are not looked at", k.Type, k.Flags&^k.Mask)
	}
	c.types[k.Type/64] |= 1 << (k.Type % 64)
	if k.Mask == 0 {
		return nil
	}
	for i := range c.flags {
		f := &c.flags[i]
		if !f.used || f.typ == k.Type {
			*f = chunkFlags{true, k.Type, f.mask | k.Mask, f.set | k.Flags}
			slices.SortFunc(c.flags[:], func(a, b chunkFlags) int { return a.rank() - b.rank() })
			return nil
		}
	}
	return errors.New("number of chunk types with flags exceeds currently allowed limit: 4")
}

// rank is the place of an entry in the list.
func (f chunkFlags) rank() int {
	if !f.used {
		return 256
	}
	return int(f.typ)
}

// Err is not nil for the zero value, and for what Chunks could not take.
func (c SCTPChunks) Err() error {
	switch {
	case c.err != "":
		return errors.New(c.err)
	case c.how != AnyChunk && c.how != AllChunks && c.how != OnlyThese:
		return errors.New(`match type has to be one of "ALL", "ANY" or "ONLY"`)
	}
	return nil
}

// String is "any DATA:Be,INIT", as iptables-save prints it.
func (c SCTPChunks) String() string { return c.format(false) }

// format prints names of the types, or numbers as iptables -L -n does.
func (c SCTPChunks) format(numeric bool) string {
	how := map[ChunkMatch]string{AnyChunk: "any ", AllChunks: "all ", OnlyThese: "only "}[c.how]
	switch {
	case c.every:
		return how + "ALL"
	case c.types == [4]uint64{}:
		return how + "NONE"
	}
	var list []string
	for typ := range 256 {
		if c.types[typ/64]&(1<<(typ%64)) != 0 {
			list = append(list, c.formatType(uint8(typ), numeric))
		}
	}
	return how + strings.Join(list, ",")
}

func (c SCTPChunks) formatType(typ uint8, numeric bool) string {
	i := slices.IndexFunc(chunkTypes[:], func(k struct {
		typ   uint8
		name  string
		flags string
	}) bool {
		return k.typ == typ
	})
	if i < 0 {
		return fmt.Sprintf("0x%04X", typ)
	}
	s := chunkTypes[i].name
	if numeric {
		s = fmt.Sprintf("0x%04X", typ)
	}
	for _, f := range c.flags {
		if !f.used || f.typ != typ {
			continue
		}
		s += ":"
		for bit := 7; bit >= 0; bit-- {
			letter := chunkTypes[i].flags[7-bit : 8-bit]
			switch {
			case f.mask&(1<<bit) == 0:
			case f.set&(1<<bit) == 0:
				s += strings.ToLower(letter)
			default:
				s += letter
			}
		}
	}
	return s
}

// parseChunks reads the two words.
func parseChunks(how, list string) (c SCTPChunks, err error) {
	switch strings.ToUpper(how) {
	case "ANY":
		c.how = AnyChunk
	case "ALL":
		c.how = AllChunks
	case "ONLY":
		c.how = OnlyThese
	}
	if err := c.Err(); err != nil {
		return c, err
	}
	switch strings.ToUpper(list) {
	case "ALL":
		return EveryChunk(c.how), nil
	case "NONE":
		return c, nil
	}
	for _, w := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
		name, flags, _ := strings.Cut(w, ":")
		k, err := parseChunk(name, flags)
		if err == nil {
			err = c.add(k)
		}
		if err != nil {
			return c, err
		}
	}
	return c, nil
}

// parseChunk reads "DATA" and "Be": a capital is a flag that must be set, a small
// letter one that must not, and both of them one that must.
func parseChunk(name, flags string) (k SCTPChunk, err error) {
	for _, known := range chunkTypes {
		if !strings.EqualFold(known.name, name) {
			continue
		}
		k.Type = known.typ
		for _, letter := range flags {
			i := strings.IndexRune(known.flags, []rune(strings.ToUpper(string(letter)))[0])
			if i < 0 {
				return k, fmt.Errorf("invalid flags for chunk type %d", k.Type)
			}
			bit := uint8(1) << (7 - i)
			k.Mask |= bit
			k.Flags |= bitIf(letter >= 'A' && letter <= 'Z', bit)
		}
		return k, nil
	}
	return k, fmt.Errorf("unknown sctp chunk `%s'", name)
}

// blob fills in the chunks of xt_sctp's struct.
func (c SCTPChunks) blob(b *xtables.SCTP) {
	b.Match = uint32(c.how)
	for i := range b.ChunkFlags {
		b.ChunkFlags[i].Type = xtables.SCTPUnused
		if f := c.flags[i]; f.used {
			b.ChunkFlags[i] = xtables.SCTPChunkFlags{Type: f.typ, Set: f.set, Mask: f.mask}
			b.FlagCount++
		}
	}
	for i := range b.Chunks {
		switch {
		case c.every:
			b.Chunks[i] = ^uint32(0)
		case i < 8:
			b.Chunks[i] = uint32(c.types[i/2] >> (32 * (i % 2)))
		}
	}
}

// readChunksBlob reads them; ok is false for what iptables could not have made.
func readChunksBlob(b *xtables.SCTP) (c SCTPChunks, ok bool) {
	c.how = ChunkMatch(b.Match)
	if !slices.ContainsFunc(b.Chunks[:], func(w uint32) bool { return w != ^uint32(0) }) {
		return EveryChunk(c.how), c.Err() == nil
	}
	for i, w := range b.Chunks[:8] {
		for ; w != 0; w &= w - 1 {
			if c.add(SCTPChunk{Type: uint8(32*i + bits.TrailingZeros32(w))}) != nil {
				return c, false
			}
		}
	}
	for _, f := range b.ChunkFlags[:min(max(int(b.FlagCount), 0), len(b.ChunkFlags))] {
		if c.add(SCTPChunk{f.Type, f.Mask, f.Set}) != nil {
			return c, false
		}
	}
	return c, c.Err() == nil
}
