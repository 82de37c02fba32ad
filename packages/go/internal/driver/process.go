package gatepass

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// outputDelay is how long a program that has ended may be outlived by its output: somebody whom it has left behind
// may hold that open for ever.
const outputDelay = time.Second

// run runs a program without a shell. If its time is up, its caller goes away or it writes too much, it ends together
// with all that it has started.
func run(ctx context.Context, step *step) reply {
	ctx, cancel := context.WithTimeout(ctx, step.timeout())
	defer cancel()
	output := limitedBuffer{whenFull: cancel}
	command := exec.CommandContext(ctx, step.Argv[0], step.Argv[1:]...)
	command.Env = os.Environ()
	for _, variable := range step.Env {
		command.Env = append(command.Env, variable[0]+"="+variable[1])
	}
	command.Stdout = &output
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = outputDelay

	err := command.Run()
	var exit *exec.ExitError
	switch {
	case output.full:
		return failed(errTooLarge, "other")
	case ctx.Err() != nil && err != nil:
		return failed(ctx.Err(), "other")
	case err == nil, errors.Is(err, exec.ErrWaitDelay), errors.As(err, &exit):
		return reply{"reply": "exited", "status": command.ProcessState.ExitCode(), "stdout": output.octets.String()}
	case errors.Is(err, exec.ErrNotFound):
		return failed(err, "not_found")
	}
	return failed(err, "other")
}

// A limitedBuffer takes bodyLimit octets and no more.
type limitedBuffer struct {
	octets   bytes.Buffer
	whenFull func()
	full     bool
}

func (b *limitedBuffer) Write(octets []byte) (int, error) {
	if b.octets.Len()+len(octets) > bodyLimit {
		b.full = true
		b.whenFull()
		return 0, errTooLarge
	}
	return b.octets.Write(octets)
}
