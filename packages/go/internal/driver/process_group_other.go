//go:build !unix

package driver

import "os/exec"

// leadGroup does nothing: there are no process groups.
func leadGroup(*exec.Cmd) {}

func killGroup(command *exec.Cmd) error { return command.Process.Kill() }
