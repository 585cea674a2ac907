// Package feature is what is known of Linux beforehand: which module and which
// build option an nf_tables expression or an xt extension comes from, in which
// release it came and went, and what else it needs. Whether a kernel has it only
// that kernel can say.
//
// An extension that kernels lack or have lost need do nothing about it: it compiles
// to the kernel's struct as it was, and Check and Apply, which ask the kernel before
// they send anything, refuse it by what is said here. One that cannot say its struct
// returns a program.InexactError; where Gone is set here, that is as good.
//
// Names of modules and options are those of net/netfilter, net/ipv4/netfilter,
// net/ipv6/netfilter and net/bridge/netfilter in Linux 6.12.
package feature

import (
	"fmt"
	"strings"
)

// Kind says what a Feature is.
type Kind uint8

const (
	// Expression is an nf_tables expression, or one key or operation of it.
	Expression Kind = iota + 1
	// Match is an xt match, which the expression match can be.
	Match
	// Target is an xt target, which the expression target can be.
	Target
	// Subsystem is a part of the kernel with questions of its own.
	Subsystem
)

// String is the kind in a listing: "expression", "match", "target", "subsystem".
func (k Kind) String() string {
	switch k {
	case Expression:
		return "expression"
	case Match:
		return "match"
	case Target:
		return "target"
	case Subsystem:
		return "subsystem"
	}
	return "?"
}

// Feature is one thing that a kernel has or lacks. The zero value is none.
type Feature struct {
	Kind Kind
	Name string // as the kernel has it: "tcp", "LOG", "queue"; of a key "exthdr dccp"

	// Module is the module that has it: "xt_mark"; the same name stands for it where
	// it is built in. "": nf_tables or x_tables themselves. Module6 is IPv6's where
	// that is another.
	Module, Module6 string

	// Config is the build option without its CONFIG_: "NETFILTER_XT_MARK". "": that
	// of nf_tables or x_tables. Config6 is IPv6's where that is another.
	Config, Config6 string

	// Since is the first release with it, where that is later than nf_tables' own
	// 3.13: "4.16"; "" for the others.
	Since string

	// Gone is the first release without it: "6.3"; "" for what is still there.
	Gone string

	// Why says, of what is gone or was never possible through nf_tables, why;
	// Instead is what does its work now.
	Why, Instead string

	// Needs is what beside its module it needs, the lack of which the kernel
	// reports as if the feature itself were not there; "": nothing.
	Needs string
}

// Missing is what a kernel without the feature lacks: its module, or, of what is
// in no module of its own, its option: "xt_LED", "CONFIG_NFT_EXTHDR_DCCP".
func (f Feature) Missing(v6 bool) string {
	module, config := f.For(v6)
	if module == "" {
		return "CONFIG_" + config
	}
	return module
}

// For is the module and the option for a family; "" where it has none of its own.
func (f Feature) For(v6 bool) (module, config string) {
	module, config = f.Module, f.Config
	if v6 && f.Module6 != "" {
		module = f.Module6
	}
	if v6 && f.Config6 != "" {
		config = f.Config6
	}
	return module, config
}

// Hint is what to do where the feature is missing in a kernel of some release; "":
// not known which.
func (f Feature) Hint(v6 bool, release string) string {
	if f.Gone != "" {
		hint := "Linux has it no more since " + f.Gone
		if f.Why != "" {
			hint += ", " + f.Why
		}
		if f.Instead != "" {
			hint += "; use " + f.Instead
		}
		return hint
	}
	module, config := f.For(v6)
	var ways []string
	if module != "" {
		ways = append(ways, "load the kernel module "+module)
	}
	if config != "" {
		ways = append(ways, "build the kernel with CONFIG_"+config)
	}
	hint := strings.Join(ways, ", or ")
	if f.Since != "" && !(release != "" && !Before(release, f.Since)) {
		hint += " (Linux " + f.Since + " or newer)"
	}
	return hint
}

// Before says whether a release is older than another: "5.10.0-33-amd64" is older
// than "5.14". What does not begin with two numbers is older than nothing.
func Before(release, than string) bool {
	var a, b, c, d int
	if n, _ := fmt.Sscanf(release, "%d.%d", &a, &b); n != 2 {
		return false
	}
	if n, _ := fmt.Sscanf(than, "%d.%d", &c, &d); n != 2 {
		return false
	}
	return a < c || a == c && b < d
}

// Find is what is known of a feature; one that is not known has a Module made of
// its name, as the kernel would ask for it.
func Find(k Kind, name string) Feature {
	for _, f := range list(k) {
		if f.Name == name {
			return f.full(k)
		}
	}
	prefix := map[Kind]string{Expression: "nft_", Match: "xt_", Target: "xt_"}[k]
	return Feature{Kind: k, Name: name, Module: prefix + name}
}

// All are the features of a kind that are known, in no order that means anything.
func All(k Kind) []Feature {
	known := list(k)
	out := make([]Feature, 0, len(known))
	for _, f := range known {
		out = append(out, f.full(k))
	}
	return out
}

func list(k Kind) []Feature {
	switch k {
	case Expression:
		return expressions[:]
	case Match:
		return matches[:]
	case Target:
		return targets[:]
	case Subsystem:
		return subsystems[:]
	}
	return nil
}
