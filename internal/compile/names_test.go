package compile

import (
	"testing"

	"pgregory.net/rapid"
)

func TestNamesThatNftCannotRead(t *testing.T) {
	for name, want := range map[string]string{
		"INPUT": "INPUT", "neighbours": "neighbours", "DOCKER-ISOLATION-STAGE-1": "DOCKER-ISOLATION-STAGE-1",
		"f2b-sshd": "f2b-sshd", "_x": "_x",
		"log": "gh.log", "tcp": "gh.tcp", "1abc": "gh.1abc", "x+y": "gh.x.2by",
		"f2b:sshd": "gh.f2b.3asshd", "gh.x": "gh.gh.2ex", "é": "gh..c3.a9",
	} {
		if got := KernelName(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
		if got := ModelName(want); got != name {
			t.Errorf("%q reads as %q, want %q", want, got, name)
		}
	}
	for _, foreign := range []string{"gh.x.zz", "gh.abcdef", "gh.", "gh.x.2"} {
		if got := ModelName(foreign); got != foreign {
			t.Errorf("%q, which is no escape of ours, reads as %q", foreign, got)
		}
	}
}

func TestEveryNameComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringN(1, 28, 28).Draw(t, "name")
		if got := ModelName(KernelName(name)); got != name {
			t.Fatalf("%q came back as %q by way of %q", name, got, KernelName(name))
		}
	})
}
