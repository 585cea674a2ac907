package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/vishvananda/netns"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
)

// netnsEnv names the network namespace that a script's commands run in.
const netnsEnv = "GATEHOUSE_TEST_NETNS"

func TestMain(m *testing.M) {
	if err := lab.Enter(); err != nil && !errors.Is(err, lab.ErrNoPrivilege) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	commands := map[string]func(){}
	for _, name := range []string{
		"iptables", "ip6tables", "iptables-save", "ip6tables-save", "iptables-restore", "ip6tables-restore",
		"iptables-confirm", "ip6tables-confirm", "iptables-multi",
	} {
		commands[name] = inNamespace
	}
	testscript.Main(m, commands)
}

// inNamespace is main of the program in the script's network namespace.
func inNamespace() {
	runtime.LockOSThread()
	if path := os.Getenv(netnsEnv); path != "" {
		ns, err := netns.GetFromPath(path)
		if err == nil {
			err = netns.Set(ns)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(125)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, world{os.Stdin, os.Stdout, os.Stderr, os.Getenv}, os.Args)
	stop()
	os.Exit(code)
}

// Each script has a host of its own.
func TestScripts(t *testing.T) {
	labtest.New(t) // skips, or fails, where there can be no lab
	testscript.Run(t, testscript.Params{
		Dir: "testdata/scripts",
		Setup: func(env *testscript.Env) error {
			ctx, cancel := context.WithCancel(context.Background())
			env.Defer(cancel)
			l, err := lab.New(ctx)
			if err != nil {
				return err
			}
			env.Defer(func() { l.Close() })
			host, err := l.Host("script")
			if err != nil {
				return err
			}
			env.Setenv(netnsEnv, host.Path())
			return nil
		},
	})
}
