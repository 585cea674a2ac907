package exttest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Block is one example.
type Block struct {
	File string // the extension's name
	Line int    // where it begins

	Family   nf.Family
	Table    string
	Chain    string
	Args     string
	Saves    []string // one a rule; of the other texts the last rule's
	List     string
	Program  []string
	NFT      string
	Error    string
	Iptables string
	NFTSave  string // what the nft variant saves; "refused", "accepted"
	Legacy   string // what the legacy one saves
	Differs  bool   // iptables-nft spells it otherwise than we do in the tables that we share
	Kernel   string // "lacks": the kernel that tests run on has it not; "removed": no kernel has
	Reload   string // "no": nft cannot load its own listing of it; "reordered": it loads the tests in another order; "wrong": it loads others
}

// Refused says whether the example is one of bad input.
func (b *Block) Refused() bool { return b.Error != "" }

// String is where the block is: "tcp.txt:12".
func (b *Block) String() string { return fmt.Sprintf("%s.txt:%d", b.File, b.Line) }

// File is the examples of one extension.
type File struct {
	Name   string
	Blocks []*Block
}

// Load reads every testdata/*.txt of the package whose tests run.
func Load(t testing.TB) []File {
	t.Helper()
	return LoadFrom(t, "testdata")
}

// LoadFrom reads every *.txt in a directory.
func LoadFrom(t testing.TB, dir string) []File {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var files []File
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		blocks, err := parse(name, string(text))
		if err != nil {
			t.Error(err)
		}
		files = append(files, File{name, blocks})
	}
	return files
}

// parse reads a file's blocks.
func parse(name, text string) (blocks []*Block, err error) {
	var cur *Block
	n, program := 0, false
	flush := func() error {
		b := cur
		cur = nil
		if b == nil {
			return nil
		}
		if b.Kernel != "" && !b.Refused() { // it would be the kernel that says no
			b.Iptables = "skip"
		}
		if len(b.Saves) == 0 {
			b.Saves = []string{b.Args}
		}
		blocks = append(blocks, b)
		return b.check()
	}
	for line := range strings.Lines(text) {
		n++
		full := strings.TrimRight(line, " \t\r\n")
		switch {
		case full == "":
			if err := flush(); err != nil {
				return blocks, err
			}
			continue
		case full[0] == '#':
			continue
		}
		if cur == nil {
			cur = &Block{File: name, Line: n, Family: nf.IPv4, Table: "filter", Chain: "INPUT"}
			program = false
		}
		if program && (full[0] == ' ' || full[0] == '\t') {
			cur.Program = append(cur.Program, strings.TrimSpace(full))
			continue
		}
		if program, err = cur.set(full); err != nil {
			return blocks, fmt.Errorf("%s.txt:%d: %w", name, n, err)
		}
	}
	return blocks, flush()
}

// set stores one "key: value" line; program says that program's lines follow.
func (b *Block) set(line string) (program bool, err error) {
	key, value, ok := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	if !ok {
		return false, fmt.Errorf("not a key and a value: %q", line)
	}
	switch key {
	case "family":
		var ok bool
		if b.Family, ok = families[value]; !ok {
			return false, fmt.Errorf("no family: %q", value)
		}
	case "save":
		b.Saves = append(b.Saves, value)
	case "program":
		b.Program = []string{}
		return true, nil
	case "table":
		b.Table = value
	case "chain":
		b.Chain = value
	case "args":
		b.Args = value
	case "list":
		b.List = strings.ReplaceAll(value, `\0`, "\x00") // which iptables prints behind a program of -m bpf
	case "nft":
		b.NFT = value
	case "error":
		b.Error = value
	case "iptables":
		b.Iptables = value
	case "shared":
		if b.Differs = value == "differs"; !b.Differs {
			return false, fmt.Errorf("shared: %q", value)
		}
	case "reload":
		b.Reload = value
	case "kernel":
		b.Kernel = value
	case "nft-save":
		b.NFTSave = value
	case "legacy-save":
		b.Legacy = value
	default:
		return false, fmt.Errorf("no such key: %q", key)
	}
	return false, nil
}

var families = map[string]nf.Family{"ip": nf.IPv4, "ip6": nf.IPv6, "inet": nf.Both}

// check refuses a block that would test nothing, or not what it seems to.
func (b *Block) check() error {
	switch {
	case !slices.Contains([]string{"", "accepts", "refuses", "skip"}, b.Iptables):
		return fmt.Errorf("%v: iptables: %q", b, b.Iptables)
	case !slices.Contains([]string{"", "lacks", "removed"}, b.Kernel):
		return fmt.Errorf("%v: kernel: %q", b, b.Kernel)
	case !slices.Contains([]string{"", "no", "reordered", "wrong"}, b.Reload):
		return fmt.Errorf("%v: reload: %q", b, b.Reload)
	case b.Refused() && (b.List != "" || b.Program != nil || b.NFT != ""):
		return fmt.Errorf("%v: refused and yet expected to be programmed", b)
	case b.Iptables == "accepts" && !b.Refused():
		return fmt.Errorf("%v: \"iptables: accepts\" is for what we refuse", b)
	case b.Iptables == "refuses" && b.Refused():
		return fmt.Errorf("%v: \"iptables: refuses\" is for what we accept", b)
	}
	return nil
}

// real says whether the real iptables of a family can be asked about the block.
func (b *Block) real(f nf.Family) bool {
	if b.Iptables == "skip" || !b.Family.Has(f) {
		return false
	}
	// The real tools take -4 and -6 as options of the command, not of the rule.
	for _, w := range strings.Fields(b.Args) {
		if slices.Contains([]string{"-4", "-6", "--ipv4", "--ipv6"}, w) {
			return false
		}
	}
	return true
}
