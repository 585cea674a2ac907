package iptables

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-fw/gatehouse/table"
)

// Stat is a rule's row in the listing.
type Stat struct {
	Packets     uint64     `json:"pkts"`
	Bytes       uint64     `json:"bytes"`
	Target      string     `json:"target"` // "" for a rule without one
	Protocol    string     `json:"prot"`   // the number: "0" for any, "6" for TCP
	Opt         string     `json:"opt"`    // "--", "-f" or "!f"; two blanks for IPv6
	Input       string     `json:"in"`     // "*" for any
	Output      string     `json:"out"`
	Source      *net.IPNet `json:"source"`
	Destination *net.IPNet `json:"destination"`
	Options     string     `json:"options"`
}

// statFields is how many columns a row of Stats has.
const statFields = 10

// Stats are the columns of what iptables -nvxL CHAIN prints, a row a rule: packets,
// bytes, target, protocol, options of the fragment, in, out, source, destination,
// and the rest in one. Addresses have their mask.
func (x *IPTables) Stats(tableName, chain string) ([][]string, error) {
	lines, err := x.lines(tableName, chain, table.Listing{Verbose: true, Exact: true})
	if err != nil {
		return nil, err
	}
	rows := [][]string{}
	for _, line := range lines[min(2, len(lines)):] {
		fields := strings.Fields(line)
		if x.proto == ProtocolIPv6 && len(fields) > 6 && isNetwork(fields[6]) {
			fields = slices.Insert(fields, 4, "  ") // the fragment's, which ip6tables leaves blank
		}
		if len(fields) < 9 || !isNetwork(fields[7]) {
			fields = slices.Insert(fields, 2, "") // no target
			if x.proto == ProtocolIPv6 && len(fields) > 6 && isNetwork(fields[6]) {
				fields = slices.Insert(fields, 4, "  ")
			}
		}
		if len(fields) < statFields-1 {
			return nil, failure(fmt.Errorf("a row of %d columns: %q", len(fields), line))
		}
		fields[7], fields[8] = withMask(fields[7]), withMask(fields[8])
		rows = append(rows, append(slices.Clip(fields[:9]), strings.Join(fields[9:], " ")))
	}
	return rows, nil
}

// isNetwork says whether a column is an address, with or without "!" and a mask.
func isNetwork(s string) bool {
	s = strings.TrimPrefix(s, "!")
	if addr, _, ok := strings.Cut(s, "/"); ok {
		s = addr
	}
	_, err := netip.ParseAddr(s)
	return err == nil
}

// withMask adds the mask of a single address.
func withMask(s string) string {
	switch {
	case strings.Contains(s, "/"):
		return s
	case strings.Contains(s, "."):
		return s + "/32"
	}
	return s + "/128"
}

// ParseStat reads a row of Stats. A row whose addresses are inverted, or whose
// mask has holes, is an error, as in the original.
func (x *IPTables) ParseStat(stat []string) (parsed Stat, err error) {
	if len(stat) < statFields {
		return parsed, fmt.Errorf("a row of %d columns, %d are wanted", len(stat), statFields)
	}
	if parsed.Packets, err = strconv.ParseUint(stat[0], 0, 64); err != nil {
		return parsed, fmt.Errorf("packets: %w", err)
	}
	if parsed.Bytes, err = strconv.ParseUint(stat[1], 0, 64); err != nil {
		return parsed, fmt.Errorf("bytes: %w", err)
	}
	if _, parsed.Source, err = net.ParseCIDR(stat[7]); err != nil {
		return parsed, fmt.Errorf("source: %w", err)
	}
	if _, parsed.Destination, err = net.ParseCIDR(stat[8]); err != nil {
		return parsed, fmt.Errorf("destination: %w", err)
	}
	parsed.Target, parsed.Protocol, parsed.Opt = stat[2], stat[3], stat[4]
	parsed.Input, parsed.Output, parsed.Options = stat[5], stat[6], stat[9]
	return parsed, nil
}

// StructuredStats is Stats with each row read.
func (x *IPTables) StructuredStats(table, chain string) ([]Stat, error) {
	rows, err := x.Stats(table, chain)
	if err != nil {
		return nil, err
	}
	stats := []Stat{}
	for _, row := range rows {
		s, err := x.ParseStat(row)
		if err != nil {
			return nil, failure(err)
		}
		stats = append(stats, s)
	}
	return stats, nil
}
