package gatepass_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"testing"

	"gatepass.dev/gatepass"
)

func TestPrincipal(t *testing.T) {
	emulator := startEmulator(t)
	emulator.setEnv()
	for name, c := range map[string]struct {
		options  []gatepass.SourceOption
		expected gatepass.Principal
	}{
		"metadata server": {nil, gatepass.Principal{Email: "default@emulator.iam.gserviceaccount.com", ProjectID: "emulator"}},
		"key file": {[]gatepass.SourceOption{gatepass.WithCredentialsFile(emulator.keyFile("--email", caller))},
			gatepass.Principal{Email: caller, ProjectID: "project"}},
	} {
		source := got(gatepass.NewSource(c.options...))(t)
		if principal := got(source.Principal(deadline(t)))(t); *principal != c.expected {
			t.Errorf("%s: %+v", name, principal)
		}
	}
	ctx, cancel := context.WithCancel(deadline(t))
	cancel()
	if _, err := got(gatepass.NewSource())(t).Principal(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestSignBytes(t *testing.T) {
	emulator := startEmulator(t)
	emulator.setEnv()
	path := emulator.keyFile("--email", caller)
	var file struct {
		PrivateKey   string `json:"private_key"`
		PrivateKeyID string `json:"private_key_id"`
	}
	must(t, json.Unmarshal(got(os.ReadFile(path))(t), &file))
	block, _ := pem.Decode([]byte(file.PrivateKey))
	key := got(x509.ParsePKCS8PrivateKey(block.Bytes))(t).(*rsa.PrivateKey)
	bytes := []byte("\x00\xff any bytes")
	digest := sha256.Sum256(bytes)
	for name, options := range map[string][]gatepass.SourceOption{
		"key file": {gatepass.WithCredentialsFile(path)}, "IAM": {gatepass.WithImpersonation(caller)},
	} {
		signature := got(got(gatepass.NewSource(options...))(t).SignBytes(deadline(t), bytes))(t)
		if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], signature.Bytes); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "key file" && signature.KeyID != file.PrivateKeyID {
			t.Errorf("the key is %q, expected %q", signature.KeyID, file.PrivateKeyID)
		}
	}
	person := got(gatepass.NewSource(gatepass.WithCredentialsFile(
		emulator.keyFile("--type", "authorized_user", "--email", "person@project.example"))))(t)
	_, err := person.SignBytes(deadline(t), bytes)
	mustRefuse(t, err, gatepass.ErrSelfSignedJWTUnsupported)
}
