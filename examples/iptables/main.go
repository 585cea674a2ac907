// Iptables is the command line of iptables on top of the library: one binary
// that is iptables, ip6tables, iptables-save, ip6tables-save, iptables-restore
// or ip6tables-restore, and iptables-confirm, which iptables has not.
//
// Which of them it is says its own name, or its first argument, so that both
//
//	ln -s iptables-multi ip6tables-save; ./ip6tables-save -c
//	./iptables-multi ip6tables-save -c
//
// do the same. It takes the commands -A -C -D -I -R -L -S -F -Z -N -X -P -E with
// the options of iptables 1.8.9, in their long spellings, abbreviated as
// getopt_long abbreviates, or bundled ("-nvL INPUT"). Each command is one
// transaction; a restore is one transaction a table: packets see a table as it
// was or as it is to be, and an error leaves it as it was.
//
// "iptables-restore --confirm 30s" is iptables-apply without its script: all tables
// of the file come into force at once, and the kernel itself goes back to the old
// ones, with their counters, unless "iptables-confirm" is run within that time (Go's
// durations, or seconds), though the terminal hangs and every process is killed.
// "iptables-confirm --status" says how much of it is left, "--extend 1m" gives more,
// "--revert" goes back at once. Until then every other change of the owner's tables
// is refused, with exit code 4, in both families. Exit code 1 says that nothing is on probation: it
// was too late.
//
// "--owner NAME", or GATEHOUSE_OWNER in the environment, choose whose tables
// are meant. Without them it is the owner "iptables": the tables that
// iptables-nft uses too.
//
// Meanwhile iptables-nft, which shows the tables of owner "iptables" too, lists the
// old rules where they were, behind one that reads
//
//	-A INPUT -m comment --comment "on probation" -g INPUT.try
//
// and the new ones in INPUT.try; it does not see that the kernel looks at this rule
// only while there is time left. So its -S and -save are no backup meanwhile: restored,
// they would be the new rules for good. What it adds to a chain goes to the old rules:
// it counts when nobody confirms, and is gone when somebody does. The tools here
// list what is in force.
//
// What it prints and how it exits is what iptables-legacy 1.8.9 does, which names
// the reason where iptables-nft names a netlink message. Texts begin with
// "iptables v1.8.9 (gatehouse): ". It differs from one or both of the two here:
//
//	                              legacy           nft              here
//	not permitted                 exit 3           exit 4           nft's, and which capability
//	"iptables-restore: line 3     no reason        and the reason   nft's
//	failed"
//	-X of a chain that is used    exit 1, why      exit 4           legacy's
//	-j to a missing chain         Couldn't load …  Chain 'x' …      legacy's
//	refused by the kernel         "Run `dmesg'"    "RULE_APPEND …"  exit 1 and the reason, before
//	                                                                anything is sent
//	restore: policy of a chain    stays            becomes ACCEPT   stays
//	that the file does not name
//	what an option's value is     libxtables' text, for each        the same where the library
//	missing or wrong in           extension another                 knows as much; exit 2
//	what the kernel finds wrong   exit 1           exit 4           exit 2 where it is known before
//	with an option's value
//	-vv                           dumps the blob   dumps the rule   as -v
//	-w, -W, -M                    lock, modprobe   ignored          checked and ignored: there
//	                                                                is no lock
//
// How a program of one's own does the same as a command here, say -A, is in
// commands.go; the rest is the reading of arguments and the wording of errors.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
)

// world is what the program sees of its surroundings.
type world struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, world{os.Stdin, os.Stdout, os.Stderr, os.Getenv}, os.Args)
	stop()
	os.Exit(code)
}

// run is the program: argv with its own name first, and the exit code.
func run(ctx context.Context, w world, argv []string) int {
	t, args := toolOf(argv)
	var err error
	switch t.job {
	case save:
		err = t.save(ctx, w, args)
	case restore:
		err = t.restore(ctx, w, args)
	case confirm:
		err = t.confirm(ctx, w, args)
	default:
		err = t.command(ctx, w, args)
	}
	return t.exit(w.stderr, err)
}
