package driver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// perform performs a step whose limit comes soon, and expects that the reply says so.
func performLimited(t *testing.T, host Host, step step) {
	t.Helper()
	step.TimeoutMS = 20
	ended := New(host, &Flights{}).perform(t.Context(), &step)
	if ended.reply["reply"] != "failed" || ended.reply["kind"] != "timeout" {
		t.Errorf("%v, expected a timeout", ended.reply)
	}
}

// However an endpoint spoils its answer, the limit closes the connection.
func TestALimitClosesTheConnection(t *testing.T) {
	for name, answer := range map[string]string{
		"nothing":     "",
		"half a head": "HTTP/1.1 200 OK\r\nContent-",
		"half a body": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
		"chunks":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
		"no end":      "HTTP/1.1 200 OK\r\n\r\nabc",
		"early hints": "HTTP/1.1 103 Early Hints\r\n\r\n",
		"upgrade":     "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: a\r\n\r\nabc",
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			closed := make(chan error, 1)
			go func() {
				connection, err := listener.Accept()
				if err != nil {
					closed <- err
					return
				}
				defer connection.Close()
				reader := bufio.NewReader(connection)
				if _, err := http.ReadRequest(reader); err != nil {
					closed <- err
					return
				}
				io.WriteString(connection, answer)
				connection.SetReadDeadline(time.Now().Add(time.Minute))
				_, err = reader.ReadByte() // It ends with the other side.
				closed <- err
			}()
			performLimited(t, Host{}, step{Step: "send", Method: "GET", URL: "http://" + listener.Addr().String()})
			if err := <-closed; !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("the connection ends with %v", err)
			}
		})
	}
}

// A transport of the user's whose body does not heed the context has its body closed.
func TestALimitClosesAForeignBody(t *testing.T) {
	reader, writer := io.Pipe()
	carrier := roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: reader}, nil
	})
	performLimited(t, Host{Transport: carrier}, step{Step: "send", Method: "GET", URL: "http://a.example"})
	// What is written before the limit has closed the body is still read.
	for range bounds().BodyBytes {
		if _, err := writer.Write([]byte("a")); err != nil {
			if !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("%v, expected that nobody reads", err)
			}
			return
		}
	}
	t.Error("the body is read to its own bound")
}

// What does not heed its context is not waited for.
func TestALimitDoesNotWait(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	carrier := roundTripper(func(*http.Request) (*http.Response, error) {
		<-release
		return nil, io.EOF
	})
	performLimited(t, Host{Transport: carrier}, step{Step: "send", Method: "GET", URL: "http://a.example"})
	supplier := func(context.Context, string, string) (string, error) {
		<-release
		return "", nil
	}
	performLimited(t, Host{Suppliers: map[string]Supplier{"a": supplier}}, step{Step: "supply", Supplier: "a"})
}

// A named pipe is read as a file is, as long as the limit allows, and no longer.
func TestALimitEndsTheReadingOfAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	writer, err := os.OpenFile(path, os.O_RDWR, 0) // So that it does not wait for a reader.
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(writer, "abc")
	performLimited(t, Host{}, step{Step: "read_file", Path: path})
	fmt.Fprint(writer, "abc")
	replies := make(chan reply)
	go func() { replies <- readFile(t.Context(), path) }()
	writer.Close()
	if reply := <-replies; reply["reply"] != "text" {
		t.Errorf("%v", reply)
	}
}

// The limit of a program is that of all that it has started.
func TestALimitEndsAProgram(t *testing.T) {
	performLimited(t, Host{}, step{Step: "run", Argv: []string{"/bin/sh", "-c", "sleep 600 & wait"}})
}

func TestWhatAProgramSays(t *testing.T) {
	for name, c := range map[string]struct {
		script   string
		expected string
	}{
		"both":        {"echo out; echo err >&2; exit 3", `map[reply:exited status:3 stderr:err` + "\n" + ` stdout:out` + "\n]"},
		"much error":  {"head -c 100000 /dev/zero >&2; echo out", ""},
		"much output": {"yes", "map[kind:too_large message:more than 1 MiB reply:failed]"},
	} {
		ended := run(t.Context(), &step{Argv: []string{"/bin/sh", "-c", c.script}})
		if stderr, _ := ended["stderr"].(string); name == "much error" && (len(stderr) != bounds().StderrBytes || ended["stdout"] != "out\n") ||
			name != "much error" && fmt.Sprint(ended) != c.expected {
			t.Errorf("%s: %v", name, ended)
		}
	}
}

// A request goes through the proxy that its step names, and through no other, whatever the environment says.
func TestTheProxyOfAStep(t *testing.T) {
	var seen []string
	server := func(name string) *httptest.Server {
		started := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen = append(seen, name, r.URL.String(), r.Header.Get("Proxy-Authorization"))
		}))
		t.Cleanup(started.Close)
		return started
	}
	endpoint, named, other := server("endpoint"), server("named"), server("other")
	t.Setenv("HTTP_PROXY", other.URL)
	t.Setenv("http_proxy", other.URL)
	driver := New(Host{}, &Flights{})
	send := func(url string, through *proxy) string {
		seen = nil
		ended := driver.perform(t.Context(), &step{Step: "send", Method: "GET", URL: url, Proxy: through, TimeoutMS: 60_000})
		return fmt.Sprint(ended.reply["status"], seen)
	}
	if found := send(endpoint.URL+"/a", nil); found != "200 [endpoint /a ]" {
		t.Error(found)
	}
	through := &proxy{"http://user:hunter2@" + strings.TrimPrefix(named.URL, "http://")}
	if found := send("http://a.example/a", through); found != "200 [named http://a.example/a Basic dXNlcjpodW50ZXIy]" {
		t.Error(found)
	}
	named.Close()
	ended := driver.perform(t.Context(), &step{Step: "send", Method: "GET", URL: "http://a.example", Proxy: through, TimeoutMS: 60_000})
	if message, _ := ended.reply["message"].(string); ended.reply["kind"] != "connect" || strings.Contains(message, "hunter2") {
		t.Errorf("%v", ended.reply)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }

// A certificate that is not trusted is no fault of the network: another attempt is in vain.
func TestACertificateThatIsNotTrusted(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	ended := New(Host{}, &Flights{}).perform(t.Context(), &step{Step: "send", Method: "GET", URL: server.URL, TimeoutMS: 60_000})
	if ended.reply["kind"] != "untrusted_certificate" {
		t.Errorf("%v", ended.reply)
	}
}
