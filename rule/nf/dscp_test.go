package nf

import "testing"

func TestDSCPClasses(t *testing.T) {
	for name, want := range map[string]DSCP{
		"BE": 0, "CS0": 0, "CS1": CS1, "cs7": CS7, "AF11": AF11, "af23": AF23, "AF43": AF43, "EF": EF, "ef": 46, "AF31": 26,
	} {
		if d, ok := DSCPClass(name); !ok || d != want {
			t.Errorf("%s is %v, %t, want %v", name, d, ok, want)
		}
	}
	for _, name := range []string{"", "CS8", "CS", "AF14", "AF51", "AF1", "AF111", "VA", "46"} {
		if d, ok := DSCPClass(name); ok {
			t.Errorf("%q is %v", name, d)
		}
	}
	if EF.String() != "0x2e" || EF.Err() != nil || DSCP(64).Err() == nil {
		t.Errorf("%v, %v, %v", EF, EF.Err(), DSCP(64).Err())
	}
}

func TestTOSBits(t *testing.T) {
	var none TOSBits
	if none.Err() == nil || none.String() != "" || none.Given() {
		t.Errorf("the zero value is %v: %v", none, none.Err())
	}
	if b := TOSMask(0x10, 0x3f); b.String() != "0x10/0x3f" || b.Value() != 0x10 || b.Mask() != 0x3f || b.Err() != nil {
		t.Errorf("%v: %v", b, b.Err())
	}
	if TOS(8).String() != "0x08/0xff" {
		t.Errorf("%v", TOS(8))
	}
}
