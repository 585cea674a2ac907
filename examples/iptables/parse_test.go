package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

func TestToolOf(t *testing.T) {
	for argv, want := range map[string]string{
		"iptables -A":                            "iptables -A",
		"/usr/sbin/ip6tables -A":                 "ip6tables -A",
		"./iptables-multi ip6tables -A":          "ip6tables -A",
		"iptables-multi iptables-save -c":        "iptables-save -c",
		"iptables iptables-restore -c":           "iptables-restore -c",
		"ip6tables-legacy-save":                  "ip6tables-save",
		"iptables-restore-nft":                   "iptables-restore",
		"iptables-nft":                           "iptables",
		"xtables-multi ip6tables-nft-restore -n": "ip6tables-restore -n",
		"main -L":                                "iptables -L",
		"":                                       "iptables",
	} {
		tl, args := toolOf(strings.Fields(argv))
		if got := strings.Join(append([]string{tl.name()}, args...), " "); got != want {
			t.Errorf("%s: %s, want %s", argv, got, want)
		}
	}
}

// getopt_long's rules, which getopt(3) has.
func TestGetopt(t *testing.T) {
	for args, want := range map[string]string{
		"-c":               "c",
		"-cn":              "c n",
		"-nT nat":          "n T=nat",
		"-nTnat file":      "n T=nat =file",
		"--table nat":      "T=nat",
		"--table=nat":      "T=nat",
		"--tab=nat":        "T=nat",
		"--noflush --test": "n t",
		"-w 5 file":        "w=5 =file",
		"-w -n":            "w n",
		"-w5":              "w=5",
		"--wait=5":         "w=5",
		"--wait -c":        "w c",
		"-":                "=-",
		"--ver":            "? --ver", // verbose, version
		"--t":              "? --t",   // test, table
		"-cQ":              "? -Q",    //
		"--test=1":         "? --test=1",
		"-T":               "? -T",
		"--table":          "? --table",
	} {
		given, bad := getopt(restoreOptions, strings.Fields(args))
		var got []string
		for _, g := range given {
			s := strings.Trim(string(g.letter), "\x00")
			if g.has {
				s += "=" + g.value
			}
			got = append(got, s)
		}
		if bad != "" {
			got = []string{"?", bad}
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %q, want %q", args, s, want)
		}
	}
}

func TestWords(t *testing.T) {
	for text, want := range map[string][]string{
		"":                             nil,
		"  \t ":                        nil,
		"-A INPUT":                     {"-A", "INPUT"},
		" -A\tINPUT  -j X ":            {"-A", "INPUT", "-j", "X"},
		`--comment "a b" -j`:           {"--comment", "a b", "-j"},
		`--comment "a \"b\" \\ \'c\'"`: {"--comment", `a "b" \ 'c'`},
		`--comment ""`:                 {"--comment", ""},
		`--comment "no end`:            {"--comment", "no end"},
	} {
		if got := words(text); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// Whatever the arguments are, they are read or refused in iptables' words.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"-A INPUT -p tcp --dport 22 -j ACCEPT", "-nvL INPUT 1 -Z", "-I FORWARD 2 ! -s 10.0.0.0/8,1.2.3.4 -g x",
		"-P INPUT DROP -c 1 2", `-A INPUT -m comment --comment "! -v" -t nat`, "-E a b --owner=x", "-w 5 -W 3 -6 -S",
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, text string, six bool) {
		tl := tool{family: nf.IPv4}
		if six {
			tl.family = nf.IPv6
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // names are not looked up
		c, err := tl.parse(ctx, words(text))
		var said *failure
		if err != nil && !errors.As(err, &said) {
			t.Errorf("%q: %v", text, err)
		}
		if err == nil && c == nil {
			t.Errorf("%q: nothing", text)
		}
	})
}
