package gatepass_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

const readmesCaller = "caller@shop.iam.gserviceaccount.com"

// Every snippet of the README is a whole program or test, in which go vet finds nothing, and which runs.
func TestTheReadmesSnippets(t *testing.T) {
	snippets := regexp.MustCompile("(?ms)^```go\n(.*?)^```$").FindAllStringSubmatch(string(got(os.ReadFile("README.md"))(t)), -1)
	if len(snippets) != 5 {
		t.Fatalf("%d snippets, expected 5", len(snippets))
	}
	// Asked for before the home folder becomes the test's own.
	caches := strings.Fields(string(got(exec.Command("go", "env", "GOMODCACHE", "GOCACHE").Output())(t)))
	emulator := startEmulator(t)
	emulator.setEnv()
	orders := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ey") || r.URL.Path != "/orders" {
			t.Errorf("%s without a token", r.URL)
		}
	}))
	defer orders.Close()
	address := freeAddress(t)

	module := t.TempDir()
	write := func(path, text string) {
		path = filepath.Join(module, path)
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		must(t, os.WriteFile(path, []byte(text), 0o600))
	}
	command := func(name string, arguments ...string) *exec.Cmd {
		command := exec.CommandContext(deadline(t), name, arguments...)
		command.Dir = module
		command.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=mod", "GOWORK=off",
			"GOMODCACHE="+caches[0], "GOCACHE="+caches[1])
		return command
	}
	run := func(command *exec.Cmd) string {
		t.Helper()
		output, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(command.Args, " "), err, output)
		}
		return string(output)
	}
	write("go.mod", "module example.com/orders\n\ngo 1.25.0\n")
	write("go.sum", string(got(os.ReadFile("go.sum"))(t)))
	for i, snippet := range snippets {
		// What is not on this machine is replaced by what is.
		text := strings.ReplaceAll(snippet[1], "https://orders.example/orders", orders.URL+"/orders")
		text = strings.ReplaceAll(text, `":8080"`, `"`+address+`"`)
		if strings.HasPrefix(text, "package main\n") {
			write(fmt.Sprintf("snippet%d/main.go", i), text)
		} else {
			write("orders_test.go", text)
		}
	}
	here := got(filepath.Abs("."))(t)
	run(command("go", "mod", "edit", "-replace", "gatepass.dev/gatepass="+here, "-require", "gatepass.dev/gatepass@v0.0.0"))
	run(command("go", "vet", "./..."))
	run(command("go", "build", "-o", "programs/", "./..."))
	run(command("go", "test", "."))

	program := func(number int) *exec.Cmd { return command(fmt.Sprintf("./programs/snippet%d", number)) }
	if output := run(program(0)); !strings.HasPrefix(output, "200 OK\nBearer ") {
		t.Errorf("the caller says %q", output)
	}

	write("federation.json", string(emulator.federated(object{"supplier": "ours"})))
	if output := run(program(1)); output != "1\n" {
		t.Errorf("the program with a supplier says %q", output)
	}

	receiver := program(2)
	must(t, receiver.Start())
	defer receiver.Wait()
	defer receiver.Process.Kill()
	request := got(http.NewRequest(http.MethodGet, "http://"+address+"/orders", nil))(t)
	request.Header.Set("Authorization", "Bearer "+emulator.mint(idToken{Audience: "https://orders.example", Email: readmesCaller}))
	if body := answerOf(t, request); body != "hello, "+readmesCaller+"\n" {
		t.Errorf("the receiver says %q", body)
	}

	explaining := program(3)
	explaining.Env = append(explaining.Env, "TOKEN="+emulator.mint(idToken{Audience: "https://another.example", Email: readmesCaller}))
	output := string(got(explaining.Output())(t)) // The log has a warning that the emulator is trusted.
	if !strings.HasPrefix(output, "gatepass: BAD_AUDIENCE aud mismatch [https://another.example] [https://orders.example]\n") ||
		!strings.Contains(output, "This is a Google ID token") {
		t.Errorf("the explanation is %q", output)
	}
}

// answerOf asks a server that may not listen yet.
func answerOf(t *testing.T, request *http.Request) string {
	t.Helper()
	for range 600 {
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			time.Sleep(50 * time.Millisecond) // Another process says nowhere that it listens.
			continue
		}
		defer response.Body.Close()
		return string(got(io.ReadAll(response.Body))(t))
	}
	t.Fatal("nobody listens")
	return ""
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener := got(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer listener.Close()
	return listener.Addr().String()
}
