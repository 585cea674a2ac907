package match

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

// BPF is -m bpf: a program of the Berkeley Packet Filter that sees the packet from
// its network header on, and matches unless it returns 0. Exactly one of the two
// must be given.
//
//	--bytecode "n,code jt jf k,…"  --object-pinned path
//
// Bytecode is what "nfbpf_compile RAW expression" prints. A path is one below a
// mounted bpf file system, and must be there when the rule is made. It is the
// kernel's own xt match, which every family has. Numbers that are too large for
// their place, which iptables cuts, are errors. It mirrors net/netfilter/xt_bpf.c.
type BPF struct {
	Bytecode string // --bytecode: how many instructions (1 to 64) and each of them, with commas between
	Pinned   string // --object-pinned, of at most 511 bytes
}

// Name is "bpf".
func (BPF) Name() string { return bpf.Name }

func (BPF) ext() option.Extension { return bpf }

const (
	maxInstructions = 64 // XT_BPF_MAX_NUM_INSTR
	bpfRevision     = 1
)

var bpf = &option.Spec[BPF]{
	Name: "bpf",
	Rows: []option.Row[BPF]{
		{
			Name: "--bytecode", Args: 1, Want: "n,code jt jf k,…",
			Set: func(m *BPF, _ bool, w []string, _ option.Context) (err error) {
				m.Bytecode, err = normalBytecode(w[0])
				return err
			},
			Get: func(m *BPF, _ nf.Family) (bool, string, bool) {
				return false, quoted(m.Bytecode), m.Bytecode != ""
			},
		},
		option.Field("--object-pinned", func(m *BPF) *string { return &m.Pinned }, bare(maxPath)),
	},
	Check: func(m *BPF, _ option.Context) (err error) {
		switch {
		case (m.Bytecode == "") == (m.Pinned == ""):
			return errors.New("one of --bytecode or --pinned is required")
		case len(m.Pinned) > maxPath || strings.ContainsAny(m.Pinned, "\n\x00"):
			return fmt.Errorf("a path is one line of at most %d bytes", maxPath)
		case m.Pinned == "":
			m.Bytecode, err = normalBytecode(m.Bytecode)
		}
		return err
	},
	List: func(m BPF, _ *option.Lister) string { // with the zero byte that iptables prints
		if m.Pinned != "" {
			return option.Unspaced + "match bpf pinned " + m.Pinned
		}
		_, code, _ := strings.Cut(m.Bytecode, ",")
		return option.Unspaced + "match bpf " + code + "\x00"
	},
	XT: &option.XT[BPF]{Inet: true, Loose: true, Encode: BPF.encode, Decode: readBPF},
}

// Compile is the kernel's own match.
func (m BPF) Compile(c *program.Code) error { return bpf.Kernel(c, m) }

func (m BPF) encode(program.Env) (rev uint8, info string) {
	if m.Pinned != "" {
		b := xtables.BPFPath{Mode: xtables.BPFPinned}
		copy(b.Path[:maxPath], m.Pinned)
		return bpfRevision, xtables.Encode(b)
	}
	b := xtables.BPF{Mode: xtables.BPFBytecode}
	code, _ := parseBytecode(m.Bytecode) // checked when the rule was made
	b.Count = uint16(copy(b.Code[:], code))
	return bpfRevision, xtables.Encode(b)
}

// readBPF reads encode. The number of the file that iptables had open is nobody's
// any more.
func readBPF(rev uint8, info string, _ program.Env) (m BPF, ok bool) {
	b, ok := xtables.Decode[xtables.BPF](info)
	switch {
	case !ok || rev != bpfRevision:
		return m, false
	case b.Mode == xtables.BPFPinned && b.Count == 0:
		p, ok := xtables.Decode[xtables.BPFPath](info)
		m.Pinned = xtables.String(p.Path[:])
		return m, ok && m.Pinned != "" && !strings.Contains(m.Pinned, "\n")
	case b.Mode != xtables.BPFBytecode || b.Count == 0 || b.Count > maxInstructions:
		return m, false
	}
	m.Bytecode = printBytecode(b.Code[:b.Count])
	return m, true
}

// normalBytecode is bytecode as iptables prints it.
func normalBytecode(w string) (string, error) {
	code, err := parseBytecode(w)
	if err != nil {
		return "", err
	}
	return printBytecode(code), nil
}

// parseBytecode reads "n,code jt jf k,…", blanks between the numbers, a comma at
// the end or none.
func parseBytecode(w string) (code []xtables.BPFInstruction, err error) {
	head, rest, ok := strings.Cut(w, ",")
	n, err := strconv.ParseUint(strings.TrimSpace(head), 10, 16)
	switch {
	case !ok || err != nil:
		return nil, errors.New("error parsing program length")
	case n == 0:
		return nil, errors.New("illegal zero length program")
	case n > maxInstructions:
		return nil, errors.New("number of instructions exceeds maximum")
	}
	for i := 0; rest != ""; i++ {
		var one string
		one, rest, _ = strings.Cut(rest, ",")
		if i >= int(n) {
			return nil, errors.New("real program length exceeds the encoded length parameter")
		}
		ins, ok := parseInstruction(strings.Fields(one))
		if !ok {
			return nil, fmt.Errorf("error at instr %d", i)
		}
		code = append(code, ins)
	}
	if len(code) != int(n) {
		return nil, errors.New("parsed program length is less than the encoded length parameter")
	}
	return code, nil
}

func parseInstruction(words []string) (ins xtables.BPFInstruction, ok bool) {
	if len(words) != 4 {
		return ins, false
	}
	var n [4]uint64
	for i, bits := range [...]int{16, 8, 8, 32} {
		var err error
		if n[i], err = strconv.ParseUint(words[i], 10, bits); err != nil {
			return ins, false
		}
	}
	return xtables.BPFInstruction{Code: uint16(n[0]), JT: uint8(n[1]), JF: uint8(n[2]), K: uint32(n[3])}, true
}

func printBytecode(code []xtables.BPFInstruction) string {
	var b strings.Builder
	fmt.Fprint(&b, len(code))
	for _, i := range code {
		fmt.Fprintf(&b, ",%d %d %d %d", i.Code, i.JT, i.JF, i.K)
	}
	return b.String()
}
