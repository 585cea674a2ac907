//go:build linux

package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
)

// enteredEnv marks a process that Enter started, so that it never starts
// another.
const enteredEnv = "GATEHOUSE_LAB_ENTERED"

// Enter gives the program the right to make labs. Call it first thing in
// main (tests: labtest.Main), before anything was started or printed, since
// it may run the program from its beginning.
//
// If the process may make namespaces already (root), Enter returns nil. Else
// it runs the same program with the same arguments again, in a user namespace
// and a network namespace of its own where the user is root, passes signals
// on to it, and exits with its exit code: Enter does not return. In the inner
// process it returns nil. Where user namespaces are forbidden too it returns
// an error that is ErrNoPrivilege.
func Enter() error {
	err := Privileged()
	if !errors.Is(err, ErrNoPrivilege) {
		return err
	}
	if os.Getenv(enteredEnv) != "" {
		return fmt.Errorf("in a user namespace: %w", err)
	}
	code, err := again()
	if err != nil {
		return fmt.Errorf("lab: %w: user namespace: %w", ErrNoPrivilege, err)
	}
	os.Exit(code)
	return nil
}

// again runs this program in a user namespace and returns its exit code.
func again() (int, error) {
	// Not os.Executable: go run and go test build where others may not look.
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), enteredEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		// The network namespace comes along so that threads can go back to
		// it: entering one needs CAP_SYS_ADMIN over the one that is entered.
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	// The death signal is tied to the thread that forks.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGHUP)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for {
			select {
			case s := <-signals:
				_ = cmd.Process.Signal(s)
			case <-ended:
				return
			}
		}
	}()
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, err
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil // as a shell reports it
	}
	return cmd.ProcessState.ExitCode(), nil
}
