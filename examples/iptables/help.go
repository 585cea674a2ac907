package main

import "fmt"

// help is what -h prints.
func (t tool) help() string {
	return fmt.Sprintf(`%[1]s %[2]s

Usage: %[1]s -[ACD] chain rule-specification [options]
       %[1]s -I chain [rulenum] rule-specification [options]
       %[1]s -R chain rulenum rule-specification [options]
       %[1]s -D chain rulenum [options]
       %[1]s -[LS] [chain [rulenum]] [options]
       %[1]s -[FZ] [chain] [options]
       %[1]s -[NX] chain
       %[1]s -E old-chain-name new-chain-name
       %[1]s -P chain target [options]

Commands:
  -A --append       a rule at the end of a chain
  -C --check        whether a chain has a rule
  -D --delete       a rule, as it was given or by its number
  -I --insert       a rule at the beginning, or before the rule of that number
  -R --replace      the rule of that number
  -L --list         print rules in columns
  -S --list-rules   print rules as they are given
  -F --flush        delete all rules
  -Z --zero         counters to zero
  -N --new-chain    make a chain
  -X --delete-chain take an empty chain away, or all that are
  -E --rename-chain give a chain another name, and the rules that go there
  -P --policy       ACCEPT or DROP at the end of a built-in chain

A rule ([!] where it may be inverted):
  [!] -p --protocol, [!] -s --source, [!] -d --destination,
  [!] -i --in-interface, [!] -o --out-interface, [!] -f --fragments,
  -m --match, -j --jump, -g --goto, -c --set-counters, -4 --ipv4, -6 --ipv6,
  and the options of its matches and its target

Options:
  -t --table        filter, nat, mangle, raw or security (default: filter)
  -n --numeric      numbers instead of names
  -v --verbose      counters and interfaces too
  -x --exact        counters in full
     --line-numbers before each rule
  -w --wait, -W --wait-interval, -M --modprobe
                    taken and of no effect: there is no lock to wait for
     --owner        whose tables (default: GATEHOUSE_OWNER, or iptables)
  -h --help, -V --version
`, t.name(), version)
}

// restoreHelp is what iptables-restore -h prints, on stderr.
func (t tool) restoreHelp() string {
	return fmt.Sprintf(`Usage: %s [-c] [-v] [-V] [-t] [-h] [-n] [-w secs] [-W usecs] [-T table] [-M command] [file]
	   [ --counters ]
	   [ --verbose ]
	   [ --version]
	   [ --test ]
	   [ --help ]
	   [ --noflush ]
	   [ --wait=<seconds>
	   [ --table=<TABLE> ]
	   [ --modprobe=<command> ]
	   [ --owner=<NAME> ]
	   [ --confirm=<TIME> ]    undone unless iptables-confirm is run in time
`, t.name())
}

// confirmHelp is what iptables-confirm -h prints.
func (t tool) confirmHelp() string {
	return fmt.Sprintf(`Usage: %s [--revert | --status | --extend TIME] [--owner NAME]

What iptables-restore --confirm TIME has put on probation is kept, or
     --revert       undone at once
     --status       told of: how much time is left
     --extend       given TIME from now on: seconds, or like 1m30s

     --owner        whose tables (default: GATEHOUSE_OWNER, or iptables)
  -h --help, -V --version
Exit code 1: nothing is on probation, so its time was up.
`, t.name())
}
