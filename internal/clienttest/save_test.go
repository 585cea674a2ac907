package clienttest

import (
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/internal/oracle/corpus"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Save, flush, restore, save: byte for byte, counters included.
func TestSaveFlushRestoreSave(t *testing.T) {
	for _, name := range []string{"dmz-router.rules", "mailserver.ip6.rules", "nas.ip6.rules", "testbed.rules"} {
		t.Run(name, func(t *testing.T) {
			f := nf.IPv4
			if corpus.V6(name) {
				f = nf.IPv6
			}
			rs, err := table.Parse(strings.NewReader(corpus.Text(t, name)), f)
			if err != nil {
				t.Fatal(err)
			}
			everywhere(t, func(t *testing.T, w world) {
				fw := w.client(t)
				w.apply(t, fw, rs)
				// Every counter gets a value of its own, as a day of traffic gives them.
				n := uint64(0)
				err := fw.Edit(t.Context(), func(e *backend.Edit) error {
					n = 0
					for tb := range rs.Tables() {
						for c := range tb.Chains() {
							for i, r := range c.Rules() {
								n++
								e.Chain(tb.ID(), c.Name()).Replace(i, counted(r, n))
							}
						}
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				first := saved(t, fw)
				if want := "[" + itoa(n) + ":" + itoa(100*n) + "] "; !strings.Contains(first, want) {
					t.Errorf("no %q in\n%s", want, first)
				}
				if err := fw.Remove(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := read(t, fw); got.Len() != 0 {
					t.Errorf("after the flush: %v", got)
				}
				back, err := table.Parse(strings.NewReader(first), f)
				if err != nil {
					t.Fatal(err)
				}
				w.apply(t, fw, back)
				if second := saved(t, fw); second != first {
					t.Errorf("saved otherwise:\n%s", diff(first, second))
				}
			})
		})
	}
}

// saved is what iptables-save -c would print.
func saved(t testing.TB, fw *backend.Firewall) string {
	t.Helper()
	var b strings.Builder
	if _, err := read(t, fw).Save(&b, table.Saving{Counters: true}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
