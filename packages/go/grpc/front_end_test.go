package gatepassgrpc_test

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"gatepass.dev/gatepass"
	gatepassgrpc "gatepass.dev/gatepass/grpc"
)

// Behind Cloud Run's front end, HTTP/2 without TLS brings the token without its signature, or twice.
func TestBehindCloudRunsFrontEnd(t *testing.T) {
	emulator := startEmulator(t)
	emulator.Setenv(t)
	t.Setenv("K_SERVICE", "orders")
	for name, c := range map[string]struct {
		header  gatepass.TokenHeader
		options []gatepass.VerifierOption
	}{
		"trusted":      {gatepass.Authorization, []gatepass.VerifierOption{gatepass.WithTrustCloudRunAndSkipSignature()}},
		"both headers": {gatepass.BothHeaders, nil},
	} {
		t.Run(name, func(t *testing.T) {
			verifier := newVerifier(t, emulator, c.options...)
			service := serve(t,
				grpc.ChainUnaryInterceptor(gatepassgrpc.UnaryServerInterceptor(verifier)),
				grpc.ChainStreamInterceptor(gatepassgrpc.StreamServerInterceptor(verifier)))
			front := &server{address: startFrontEnd(t, emulator.URL, service.address)}
			tokens := idTokens(t, gatepassgrpc.WithTokenHeader(c.header), gatepassgrpc.WithAllowPlaintextLoopback())
			mustBeSeenAs(t, front.connect(t, tokens), account)
			// The front end itself refuses who has no token; gRPC makes a status of that of HTTP.
			_, err := call(deadline(t), front.connect(t), "Unary")
			mustFail(t, err, codes.PermissionDenied)
		})
	}
}

// startFrontEnd starts `gatepass emulator run` before a service, and returns its address.
func startFrontEnd(t *testing.T, emulator, service string) string {
	t.Helper()
	program := os.Getenv("GATEPASS_PROGRAM")
	if program == "" {
		program = "gatepass"
	}
	command := exec.Command(program, "emulator", "run", "--service", "orders", "--to", "http://"+service,
		"--invoker", account, "--audience", audience, "--emulator", emulator, "--exit-with-stdin")
	command.Stderr = os.Stderr
	stdin := got(command.StdinPipe())(t)
	stdout := got(command.StdoutPipe())(t)
	must(t, command.Start())
	t.Cleanup(func() {
		stdin.Close()
		must(t, command.Wait())
	})
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if address, found := strings.CutPrefix(lines.Text(), "# listening on http://"); found {
			return address
		}
	}
	t.Fatal("the front end has ended without listening")
	return ""
}
