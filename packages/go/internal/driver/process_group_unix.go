//go:build unix

package driver

import (
	"os/exec"
	"syscall"
)

// leadGroup gives the program a process group of its own.
func leadGroup(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func killGroup(command *exec.Cmd) error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
