package backend

import (
	"errors"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/table"
)

// What no kernel has any more is not a matter of the owner or the family.
func TestRemovedExtensions(t *testing.T) {
	for _, tc := range []struct {
		extension string
		is, not   error
		feature   string
	}{
		{"ULOG", ErrUnsupported, ErrInexact, "ipt_ULOG"},
		{"CLUSTERIP", ErrUnsupported, ErrInexact, "ipt_CLUSTERIP"},
		{"CHECKSUM", ErrInexact, ErrUnsupported, ""},
	} {
		err := inexact(opCheck, errors.Join(&compile.Error{
			Table: table.Filter, Chain: "INPUT", Rule: 3, Extension: tc.extension,
			Err: &program.InexactError{Extension: tc.extension, Why: "no form", Hint: "another owner"},
		}))
		es := Errors(err)
		if len(es) != 1 || !errors.Is(err, tc.is) || errors.Is(err, tc.not) || es[0].Feature != tc.feature || es[0].Hint == "" || es[0].Rule != 3 {
			t.Errorf("%s: %+v", tc.extension, err)
		}
	}
}

// Packets meet ip and inet chains one after the other; what sits in a bridge, or on
// a device, is another hook though its number be the same.
func TestAfter(t *testing.T) {
	ours := []base{{program.IP, 1, 0}, {program.Inet, 4, 100}}
	for _, tc := range []struct {
		base
		want bool
	}{
		{base{program.IP, 1, 0}, true}, // the younger is asked first: nobody knows which that is
		{base{program.IP, 1, -1}, false},
		{base{program.Inet, 1, 5}, true},
		{base{program.IP6, 1, 5}, false},
		{base{program.IP6, 4, 100}, true},
		{base{program.IP, 4, 99}, false},
		{base{program.IP, 2, 5}, false},
		{base{program.Bridge, 1, 5}, false},
		{base{program.Netdev, 1, 5}, false},
	} {
		if got := tc.after(ours); got != tc.want {
			t.Errorf("%+v after ours: %v", tc.base, got)
		}
	}
}

func TestMaker(t *testing.T) {
	input := &program.Chain{Name: "INPUT", Base: true}
	lower := &program.Chain{Name: "input", Base: true}
	for _, tc := range []struct {
		table program.Table
		want  string
	}{
		{program.Table{Family: program.IP, Name: "filter", Chains: []*program.Chain{input}}, "iptables-nft"},
		{program.Table{Family: program.IP6, Name: "nat"}, "iptables-nft"},
		{program.Table{Family: program.IP, Name: "filter", Chains: []*program.Chain{lower}}, "?"},
		{program.Table{Family: program.Inet, Name: "filter", Chains: []*program.Chain{input}}, "?"},
		{program.Table{Family: program.Inet, Name: "firewalld"}, "firewalld"},
		{program.Table{Family: program.Inet, Name: "x"}, "?"},
	} {
		if got := maker(&tc.table); got != tc.want {
			t.Errorf("%v %s: %s, want %s", tc.table.Family, tc.table.Name, got, tc.want)
		}
	}
}
