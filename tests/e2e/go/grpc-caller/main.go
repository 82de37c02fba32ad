// Command grpc-caller calls every receiver that its argument names, in all four ways of gRPC, or makes the long run; see
// tests/e2e/grpc/README.md.
package main

import (
	"cmp"
	"encoding/json"
	"log"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	gatepassgrpc "gatepass.dev/gatepass/grpc"
)

func main() {
	var isFine bool
	lines := json.NewEncoder(os.Stdout)
	switch {
	case len(os.Args) == 2:
		var receivers []receiver
		parse(os.Args[1], &receivers)
		isFine = true
		for _, receiver := range receivers {
			report, err := visit(receiver)
			if err != nil {
				isFine = false
				lines.Encode(map[string]string{"receiver": receiver.Name, "error": err.Error()})
				continue
			}
			lines.Encode(report)
		}
	case len(os.Args) == 3 && os.Args[1] == "--long":
		var run longRun
		parse(os.Args[2], &run)
		report, err := run.make()
		if err != nil {
			log.Fatal(err)
		}
		lines.Encode(report)
		isFine = report.Failed == 0
	default:
		log.Fatal("usage: grpc-caller RECEIVERS, or grpc-caller --long RUN, both JSON")
	}
	if !isFine {
		os.Exit(1)
	}
}

func parse(text string, into any) {
	if err := json.Unmarshal([]byte(text), into); err != nil {
		log.Fatal(err)
	}
}

// connect makes a connection whose calls have this authority.
func connect(target, authority string, options ...grpc.DialOption) (*grpc.ClientConn, error) {
	channel := insecure.NewCredentials()
	if authorities := os.Getenv("TLS_CA"); authorities != "" {
		var err error
		if channel, err = credentials.NewClientTLSFromFile(authorities, ""); err != nil {
			return nil, err
		}
	}
	options = append(options, grpc.WithTransportCredentials(channel), grpc.WithAuthority(cmp.Or(authority, target)))
	return grpc.NewClient(target, options...)
}

// withTokens has each call carry an ID token.
func withTokens() (grpc.DialOption, error) {
	var options []gatepassgrpc.CredentialsOption
	if os.Getenv("TLS_CA") == "" {
		options = append(options, gatepassgrpc.WithAllowPlaintextLoopback())
	}
	tokens, err := gatepassgrpc.NewIDTokenCredentials(options...)
	if err != nil {
		return nil, err
	}
	return grpc.WithPerRPCCredentials(tokens), nil
}
