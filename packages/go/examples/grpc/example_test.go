// Package grpc runs the example as its README says.
package grpc

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/pem"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatepass.dev/gatepass/gatepasstest"
)

const identityPath = "/computeMetadata/v1/instance/service-accounts/default/identity"

// The client calls for longer than a token lives, which is three seconds here.
func TestTheClientOutlivesItsTokens(t *testing.T) {
	emulator := gatepasstest.Start(t, gatepasstest.WithArguments("--lifetime", "3"))
	emulator.Setenv(t)
	folder := t.TempDir()
	certificate := emulator.Certificate(t)
	write := func(name, kind string, document []byte) string {
		path := filepath.Join(folder, name)
		must(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: document}), 0o600))
		return path
	}
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	must(t, err)
	authority := filepath.Join(folder, "ca.pem")
	must(t, os.WriteFile(authority, []byte(emulator.Authority(t)), 0o600))
	build := exec.Command("go", "build", "-o", folder+"/", "./client", "./server")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}

	server := start(t, filepath.Join(folder, "server"), "-listen", "127.0.0.1:0", "-audience", "https://localhost",
		"-cert", write("server.pem", "CERTIFICATE", certificate.Certificate[0]), "-key", write("key.pem", "PRIVATE KEY", key))
	port, isListening := "", false
	for !isListening { // It warns of the emulator's keys first.
		_, port, isListening = strings.Cut(next(t, server), "listening on 127.0.0.1:")
	}
	t.Setenv("SSL_CERT_FILE", authority)
	client := start(t, filepath.Join(folder, "client"), "-target", "localhost:"+port, "-every", "50ms")
	for range 100 {
		if line := next(t, client); !strings.HasSuffix(line, "Dune for default@emulator.iam.gserviceaccount.com") {
			t.Fatal(line)
		}
	}
	if tokens := emulator.Requests(t, identityPath); tokens < 2 {
		t.Errorf("%d tokens, expected that one has ended", tokens)
	}
}

// start runs a program until the test ends, and returns what it logs.
func start(t *testing.T, program string, arguments ...string) *bufio.Reader {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	command := exec.CommandContext(ctx, program, arguments...)
	reader, writer := io.Pipe()
	command.Stderr = writer
	must(t, command.Start())
	t.Cleanup(func() {
		cancel()
		reader.Close()
		command.Wait() // It was killed.
	})
	return bufio.NewReader(reader)
}

func next(t *testing.T, lines *bufio.Reader) string {
	t.Helper()
	line, err := lines.ReadString('\n')
	must(t, err)
	return strings.TrimSpace(line)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
