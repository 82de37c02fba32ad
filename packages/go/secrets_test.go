package gatepass_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gatepass.dev/gatepass"
)

// Whatever is printed of the package's types, no token and no key is in it.
func TestNothingShowsASecret(t *testing.T) {
	emulator := startEmulator(t)
	emulator.setEnv()
	file := gatepass.WithCredentialsJSON([]byte(`{"private_key":"hunter2"}`))
	keys := gatepass.WithKeys([]byte(`{"keys":[],"hunter2":1}`))
	source := got(gatepass.NewSource())(t)
	token := got(source.IDToken(deadline(t), audience))(t).AccessToken
	tokens := got(gatepass.NewTokenSource(deadline(t), audience, gatepass.WithTrustedEndpoints()))(t)
	got(tokens.Token())(t)
	client := got(gatepass.NewClient(deadline(t), audience, gatepass.WithTrustedEndpoints()))(t)
	verifier := got(gatepass.NewVerifier(
		gatepass.WithAudience(audience), gatepass.WithKeysURL(emulator.keysURL())))(t)
	payload := got(verifier.Validate(deadline(t), token))(t)
	_, refused := verifier.Validate(deadline(t), token+"x")
	_, invalid := gatepass.NewSource(file, gatepass.WithCredentialsFile("x"))
	mustNotShow(t, []string{"hunter2", token[:20]},
		file, keys, source, tokens, client, client.Transport, verifier, payload, refused, invalid)
}

// The error of a failed fetch shows nothing of what the core was told on the way.
func TestNoErrorOfATranscriptShowsASecret(t *testing.T) {
	failing := 0
	forEachVector(t, "acquire", func(t *testing.T, c transcript) {
		var secrets []string
		var options struct {
			CredentialsJSON string `json:"credentials_json"`
		}
		must(t, json.Unmarshal(c.Options, &options))
		secrets = append(secrets, secretsIn(options.CredentialsJSON)...)
		for _, turn := range c.Transcript {
			secrets = append(secrets, secretsOf(t, turn.Reply)...)
		}
		c.play(t, func(_ int, text string) {
			var step struct {
				Step  string
				Error json.RawMessage
			}
			must(t, json.Unmarshal([]byte(text), &step))
			if step.Step == "fail" {
				mustNotShow(t, secrets, gatepass.NewError(step.Error, nil))
				failing++
			}
		})
	})
	if failing < 50 {
		t.Errorf("only %d transcripts fail", failing)
	}
}

func TestALeakWouldBeFound(t *testing.T) {
	var secrets []string
	for _, reply := range []string{
		`{"reply":"response","body":"{\"error\":\"openly said by them\",\"access_token\":\"opaque-access-token\"}"}`,
		`{"reply":"response","status":403,"body":"denied in plain words to ya29.token-of-somebody"}`,
		`{"reply":"text","text":"-----BEGIN PRIVATE KEY-----\nfirst-line-of-a-key\n"}`,
		`{"reply":"env","values":{"AWS_SECRET_ACCESS_KEY":"secret-of-a-variable","HOME":"/home/of-somebody"}}`,
		`{"reply":"exited","stdout":"header-of-a-token.payload-of-a-token.x","stderr":""}`,
	} {
		secrets = append(secrets, secretsOf(t, []byte(reply))...)
	}
	slices.Sort(secrets)
	expected := []string{
		"first-line-of-a-key", "header-of-a-token", "header-of-a-token.payload-of-a-token.x", "opaque-access-token",
		"payload-of-a-token", "secret-of-a-variable", "token-of-somebody", "ya29.token-of-somebody",
	}
	if secrets = slices.Compact(secrets); !slices.Equal(secrets, expected) {
		t.Errorf("%q, expected %q", secrets, expected)
	}
	within := fmt.Errorf("fetching: %w", &gatepass.Error{Message: "hunter2"})
	for _, value := range []any{struct{ text string }{"hunter2"}, errors.Join(errors.New("none"), within)} {
		if !strings.Contains(shownBy(value), "hunter2") {
			t.Errorf("what %T shows is not seen", value)
		}
	}
}

// mustNotShow looks for secrets in whatever prints a value.
func mustNotShow(t *testing.T, secrets []string, values ...any) {
	t.Helper()
	for _, value := range values {
		shown := shownBy(value)
		for _, secret := range secrets {
			if strings.Contains(shown, secret) {
				t.Errorf("%T shows %q", value, secret)
			}
		}
	}
}

// shownBy is a value as all verbs print it, the log, JSON, and as a refused caller sees it; of an error, with all that
// it wraps.
func shownBy(value any) string {
	var shown bytes.Buffer
	for _, form := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		fmt.Fprintf(&shown, form+"\n", value)
	}
	log.New(&shown, "", log.LstdFlags).Print(value)
	json.NewEncoder(&shown).Encode(value)
	err, _ := value.(error)
	if refused, ok := err.(*gatepass.Error); ok {
		recorder := httptest.NewRecorder()
		refused.Refuse(recorder)
		fmt.Fprint(&shown, recorder.Header(), recorder.Body, *refused)
	}
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		shown.WriteString(shownBy(err.Unwrap()))
	case interface{ Unwrap() []error }:
		for _, within := range err.Unwrap() {
			shown.WriteString(shownBy(within))
		}
	}
	return shown.String()
}

// shortestSecret is the length from which on texts are looked for; shorter ones stand in any message by chance.
const shortestSecret = 16

// openly names the members of files and bodies that an error may well show.
var openly = []string{
	"audience", "auth_uri", "client_email", "client_id", "code", "error", "error_description", "gatepass_emulator",
	"issued_token_type", "message", "project_id", "scope", "service_account_impersonation_url", "status",
	"subject_token_type", "token_info_url", "token_type", "token_uri", "token_url", "type", "universe_domain",
}

// secretsOf collects the secrets in a reply to the core: of variables what is called so, of all else what is long.
func secretsOf(t *testing.T, text []byte) []string {
	t.Helper()
	var reply struct {
		Values             map[string]string
		Text, Body, Stdout string
		Status             int
	}
	must(t, json.Unmarshal(text, &reply))
	if reply.Status >= 400 && !json.Valid([]byte(reply.Body)) {
		// A refusal in plain words, which are shown: but for the tokens that it repeats.
		reply.Body = strings.Join(repeatedToken.FindAllString(reply.Body, -1), "\n")
	}
	secrets := slices.Concat(secretsIn(reply.Text), secretsIn(reply.Body), secretsIn(reply.Stdout))
	for name, value := range reply.Values {
		if isFile := strings.HasSuffix(name, "_FILE"); !isFile && (strings.Contains(name, "SECRET") || strings.Contains(name, "TOKEN")) {
			secrets = append(secrets, secretsIn(value)...)
		}
	}
	return secrets
}

var repeatedToken = regexp.MustCompile(`(?:eyJ|ya29\.)[\w.-]+`)

// secretsIn collects the secrets in a file or a body. Those of a key are its lines, those of a token its segments too.
func secretsIn(text string) []string {
	var document any
	if json.Unmarshal([]byte(text), &document) != nil {
		document = text
	}
	var secrets []string
	for _, leaf := range leaves(document) {
		for _, part := range slices.Concat([]string{leaf}, strings.Split(leaf, "\n"), strings.Split(leaf, ".")) {
			if len(part) >= shortestSecret && !strings.HasPrefix(part, "-----") {
				secrets = append(secrets, part)
			}
		}
	}
	return secrets
}

func leaves(document any) []string {
	var found []string
	switch document := document.(type) {
	case string:
		found = append(found, document)
	case []any:
		for _, member := range document {
			found = append(found, leaves(member)...)
		}
	case map[string]any:
		for name, member := range document {
			if _, isText := member.(string); !isText || !slices.Contains(openly, strings.ToLower(name)) {
				found = append(found, leaves(member)...)
			}
		}
	}
	return found
}
