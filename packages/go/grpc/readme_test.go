package gatepassgrpc_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every snippet of the README is a whole program, which builds and in which go vet finds nothing.
func TestTheReadmesSnippets(t *testing.T) {
	snippets := regexp.MustCompile("(?ms)^```go\n(.*?)^```$").FindAllStringSubmatch(string(got(os.ReadFile("README.md"))(t)), -1)
	if len(snippets) != 2 {
		t.Fatalf("%d snippets, expected 2", len(snippets))
	}
	here := got(filepath.Abs("."))(t)
	module := t.TempDir()
	write := func(path, text string) {
		path = filepath.Join(module, path)
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		must(t, os.WriteFile(path, []byte(text), 0o600))
	}
	own := string(got(os.ReadFile("go.mod"))(t))
	own = strings.Replace(own, "module gatepass.dev/gatepass/grpc", "module example.com/orders", 1)
	write("go.mod", strings.Replace(own, "=> ../", "=> "+filepath.Dir(here), 1)+
		"\nrequire gatepass.dev/gatepass/grpc v0.0.0\n\nreplace gatepass.dev/gatepass/grpc => "+here+"\n")
	write("go.sum", string(got(os.ReadFile("go.sum"))(t)))
	write("caller/main.go", snippets[0][1])
	write("server/main.go", snippets[1][1])
	for _, arguments := range [][]string{{"build", "-o", os.DevNull, "./caller"}, {"build", "-o", os.DevNull, "./server"}, {"vet", "./..."}} {
		command := exec.CommandContext(deadline(t), "go", arguments...)
		command.Dir = module
		command.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=mod", "GOWORK=off")
		if output, err := command.CombinedOutput(); err != nil {
			t.Errorf("go %s: %v\n%s", strings.Join(arguments, " "), err, output)
		}
	}
}
