package gatepass_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const fiveLines = `package main

import ("context"; "fmt"; "gatepass.dev/gatepass")

func main() {
	token, err := gatepass.FetchIDToken(context.Background(), "https://receiver.example")
	fmt.Println(len(token) > 100, err)
}
`

// An empty module elsewhere that requires this one builds and runs a program, without the network.
func TestAnotherModuleCanUseIt(t *testing.T) {
	// Asked for before the home folder becomes the test's own.
	caches := strings.Fields(string(got(exec.Command("go", "env", "GOMODCACHE", "GOCACHE").Output())(t)))
	startEmulator(t).setEnv()
	folder := t.TempDir()
	here := got(filepath.Abs("."))(t)
	write := func(name, text string) {
		must(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	write("main.go", fiveLines)
	write("go.mod", "module example.com/caller\n\ngo 1.24.0\n")
	write("go.sum", string(got(os.ReadFile("go.sum"))(t)))
	run := func(arguments ...string) string {
		command := exec.CommandContext(deadline(t), "go", arguments...)
		command.Dir = folder
		command.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=mod", "GOWORK=off",
			"GOMODCACHE="+caches[0], "GOCACHE="+caches[1])
		output, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(arguments, " "), err, output)
		}
		return string(output)
	}
	run("mod", "edit", "-replace", "gatepass.dev/gatepass="+here, "-require", "gatepass.dev/gatepass@v0.0.0")
	if output := run("run", "."); output != "true <nil>\n" {
		t.Errorf("%s", output)
	}
}
