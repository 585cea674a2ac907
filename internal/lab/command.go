//go:build linux

package lab

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Result is what a program left when it ended.
type Result struct {
	Stdout, Stderr string
	// Exit is the exit code, -1 if a signal ended the program.
	Exit int
}

// Process is a program that runs inside a host. See Host.Start.
type Process struct {
	lab  *Lab
	cmd  *exec.Cmd
	once sync.Once
	err  error
}

// Start starts cmd inside the host's network namespace. Wait for it with
// Process.Wait, not with cmd.Wait. A program that still runs when the lab is
// closed is killed with its process group.
func (h *Host) Start(cmd *exec.Cmd) (*Process, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	if cmd.WaitDelay == 0 {
		cmd.WaitDelay = time.Second // for pipes that a grandchild holds
	}
	if cmd.Cancel != nil { // made by exec.CommandContext
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	}
	if err := h.Do(cmd.Start); err != nil {
		return nil, h.wrap(err)
	}
	p := &Process{lab: h.lab, cmd: cmd}
	if err := h.lab.track(p); err != nil {
		return nil, err
	}
	return p, nil
}

// PID is the process ID.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Wait waits until the program has ended. Its error is that of exec.Cmd.Wait.
// It may be called more than once.
func (p *Process) Wait() error {
	p.once.Do(func() {
		p.err = p.cmd.Wait()
		p.lab.untrack(p)
	})
	return p.err
}

// Close kills the program and its process group, if it still runs, and waits
// until it is gone. The error is nil.
func (p *Process) Close() error {
	// Signal knows, where Kill by number does not, that the process was
	// waited for and its number may be another's by now.
	if p.cmd.Process.Signal(syscall.Signal(0)) == nil {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	}
	_ = p.Wait()
	return nil
}

// Run runs a program inside the host with stdin as its input and returns what
// it printed. An exit code other than 0 is no error; not being able to start
// the program is (exec.ErrNotFound if it is missing), and so is a ctx that
// ends first.
func (h *Host) Run(ctx context.Context, stdin, name string, args ...string) (Result, error) {
	return h.RunEnv(ctx, nil, stdin, name, args...)
}

// RunEnv is Run with further environment variables, each "NAME=value".
func (h *Host) RunEnv(ctx context.Context, env []string, stdin, name string, args ...string) (Result, error) {
	var stdout, stderr strings.Builder
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	if len(env) > 0 {
		cmd.Env = append(cmd.Environ(), env...)
	}
	p, err := h.Start(cmd)
	if err != nil {
		return Result{}, err
	}
	err = p.Wait()
	r := Result{Stdout: stdout.String(), Stderr: stderr.String(), Exit: cmd.ProcessState.ExitCode()}
	var exit *exec.ExitError
	if ctx.Err() != nil && r.Exit != 0 {
		return r, h.wrap(ctx.Err())
	}
	if err != nil && !errors.As(err, &exit) {
		return r, h.wrap(err)
	}
	return r, nil
}
