package driver

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"time"
)

// outputDelay is how long the output of a program is awaited after it has ended: a process that it has left behind may
// hold that open for ever.
const outputDelay = time.Second

// run runs a program without a shell. When its time is up, when it writes too much, and when it has ended, all that it
// has started ends too, unless that has left its process group and closed its output. Where there are no process groups,
// what it has started goes on.
func run(ctx context.Context, step *step) reply {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	output := limitedBuffer{limit: bounds().BodyBytes + 1, whenFull: cancel}
	complaint := limitedBuffer{limit: bounds().StderrBytes}
	command := exec.CommandContext(ctx, step.Argv[0], step.Argv[1:]...)
	command.Env = os.Environ()
	for _, variable := range step.Env {
		command.Env = append(command.Env, variable[0]+"="+variable[1])
	}
	command.Stdout, command.Stderr = &output, &complaint
	leadGroup(command)
	command.Cancel = func() error { return killGroup(command) }
	command.WaitDelay = outputDelay

	err := command.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		killGroup(command) // Its number is not given to others while somebody of the group is left.
	}
	var exit *exec.ExitError
	switch {
	case output.isFull:
		return failed(errTooLarge, "other")
	case ctx.Err() != nil && err != nil:
		return failed(ctx.Err(), "other")
	case err == nil, errors.Is(err, exec.ErrWaitDelay), errors.As(err, &exit):
		return reply{
			"reply": "exited", "status": command.ProcessState.ExitCode(),
			"stdout": output.text.String(), "stderr": complaint.text.String(),
		}
	case errors.Is(err, exec.ErrNotFound):
		return failed(err, "not_found")
	}
	return failed(err, "other")
}

// A limitedBuffer takes so many bytes. More make it full, or are lost if nobody wants to know.
type limitedBuffer struct {
	limit    int
	whenFull func()
	text     bytes.Buffer
	isFull   bool
}

func (b *limitedBuffer) Write(bytes []byte) (int, error) {
	b.text.Write(bytes[:min(len(bytes), b.limit-b.text.Len())])
	if b.text.Len() >= b.limit && b.whenFull != nil {
		b.isFull = true
		b.whenFull()
	}
	return len(bytes), nil
}
