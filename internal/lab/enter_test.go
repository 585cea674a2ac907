//go:build linux

package lab_test

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// nobody is an ordinary user.
const nobody = 65534

// play is this test binary playing an example, started by an ordinary user:
// by nobody if the tests run as root. Run by an ordinary user they are in a
// user namespace already, where no further user is known; its being so is
// then what the example finds.
func play(t *testing.T, role string, env ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), playEnv+"="+role)
	cmd.Env = append(cmd.Env, env...)
	cmd.Dir = "/"
	if !rootless(t) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	return cmd
}

// rootless says whether the tests run in a user namespace that Enter made.
func rootless(t *testing.T) bool {
	b, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(b))
	return len(f) == 3 && f[2] == "1"
}

func TestEnterPassesExitCode(t *testing.T) {
	out, err := play(t, "exit").CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 7 || len(out) != 0 {
		t.Errorf("got %v, %q; want exit code 7", err, out)
	}
}

// A process that says it was entered and still has no privilege gets the
// error, and does not start itself for ever.
func TestEnterOnce(t *testing.T) {
	if rootless(t) {
		return // there is nobody without privilege here
	}
	out, err := play(t, "exit", "GATEHOUSE_LAB_ENTERED=1").CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 || string(out) != "no privilege\n" {
		t.Errorf("got %v, %q; want exit code 3", err, out)
	}
}

// Neither a signal nor a violent death of the outer process leaves the inner
// one behind.
func TestEnterEndsTogether(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		cmd := play(t, "sleep")
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		inner, err := bufio.NewReader(stdout).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		err = cmd.Wait()
		if sig == syscall.SIGTERM && !rootless(t) {
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 128+15 {
				t.Errorf("after %v: %v, want exit code 143", sig, err)
			}
		}
		gone(t, strings.TrimSpace(inner))
	}
}

// gone fails the test if a process is alive after a while.
func gone(t *testing.T, pid string) {
	t.Helper()
	for range 500 {
		b, err := os.ReadFile("/proc/" + pid + "/stat")
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			return
		}
		// Dead, and waiting for an init that takes its time.
		if _, rest, _ := strings.Cut(string(b), ") "); strings.HasPrefix(rest, "Z") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %s is still there", pid)
}
