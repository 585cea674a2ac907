package main

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// version is the release of iptables whose command line this is, as --version
// prints it and scripts look for it.
const version = "v1.8.9 (gatehouse)"

// job is what a tool is for.
type job string

const (
	edit    job = ""
	save    job = "-save"
	restore job = "-restore"
	confirm job = "-confirm"
)

// tool is one of the eight programs.
type tool struct {
	family nf.Family
	job    job
}

// name is how the program calls itself: "ip6tables-save".
func (t tool) name() string {
	if t.family == nf.IPv6 {
		return "ip6tables" + string(t.job)
	}
	return "iptables" + string(t.job)
}

// toolOf finds out which program is meant, and takes its name off the arguments:
// the first argument if it is one of their names, else the name of the binary,
// else iptables.
func toolOf(argv []string) (tool, []string) {
	if len(argv) == 0 {
		return tool{family: nf.IPv4}, nil
	}
	if len(argv) > 1 {
		if t, ok := parseTool(argv[1]); ok {
			return t, argv[2:]
		}
	}
	if t, ok := parseTool(filepath.Base(argv[0])); ok {
		return t, argv[1:]
	}
	return tool{family: nf.IPv4}, argv[1:]
}

// parseTool reads a program's name, with or without a variant in it:
// iptables-legacy-save, ip6tables-nft.
func parseTool(name string) (t tool, ok bool) {
	first, rest, _ := strings.Cut(name, "-")
	switch first {
	case "iptables":
		t.family = nf.IPv4
	case "ip6tables":
		t.family = nf.IPv6
	default:
		return tool{}, false
	}
	for _, part := range strings.Split(rest, "-") {
		switch part {
		case "", "legacy", "nft":
		case "save":
			t.job = save
		case "restore":
			t.job = restore
		case "confirm":
			t.job = confirm
		default:
			return tool{}, false
		}
	}
	return t, true
}

// id is the tool's table of that name.
func (t tool) id(name string) (table.ID, bool) {
	id, ok := table.Named(name)
	return id.For(t.family), ok
}

// open connects to the firewall of the owner that was asked for.
func (t tool) open(ctx context.Context, w world, owner string) (*backend.Firewall, error) {
	if owner == "" {
		owner = w.getenv("GATEHOUSE_OWNER")
	}
	if owner == "" {
		owner = backend.Iptables
	}
	return nft.Open(ctx, backend.Config{Owner: owner})
}
