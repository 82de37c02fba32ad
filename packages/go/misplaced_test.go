package gatepass_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gatepass.dev/gatepass"
)

// misplaced are secrets that people have pasted where another value belongs.
var misplaced = func() map[string]string {
	const key = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
	const token = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiIxMDc2OTUwMzE2NTgifQ.c2lnbmF0dXJlLW9mLWEtdG9rZW4"
	pem := "-----BEGIN PRIVATE KEY-----\n" + key + "\n-----END PRIVATE KEY-----\n"
	file, _ := json.Marshal(object{"type": "service_account", "private_key": pem, "client_email": "a@b"})
	return map[string]string{
		"a key": pem, "a key file": string(file), "an ID token": token, "a header": "Bearer " + token,
		"an access token": "ya29.c.b0Aaekm1K9vZp3RrXwT5uQyLhNcVbGfDsAqWzE",
		"a random text":   "q7Wm2ZxVt9LkRb4HdYcN8sJfGpEa3uTi6oQvXyBn1wKMlPzC0rUhSgDeAjOF5I",
	}
}()

// partsOf are what no error may show of a secret.
func partsOf(secret string) (parts []string) {
	for _, word := range regexp.MustCompile(`[A-Za-z0-9+/_-]{16,}`).FindAllString(secret, -1) {
		if strings.HasPrefix(word, "-----") || word == "service_account" {
			continue
		}
		for start := 0; start+16 <= len(word); start += 4 {
			parts = append(parts, word[start:start+16])
		}
	}
	return parts
}

// A misplacement shows nothing in errors, their causes, the log and whatever prints the values.
func mustHide(t *testing.T, place, name string, logged io.Reader, values ...any) {
	t.Helper()
	var shown strings.Builder
	io.Copy(&shown, logged)
	for _, value := range values {
		shown.WriteString(shownBy(value))
		if failed := (*gatepass.Error)(nil); value != nil {
			if err, isError := value.(error); isError && errors.As(err, &failed) {
				shown.WriteString(strings.Join(append(failed.Found, failed.Expected...), " "))
			}
		}
	}
	for _, part := range partsOf(misplaced[name]) {
		if strings.Contains(shown.String(), part) {
			t.Errorf("%s is %s, and shown: %s", place, name, shown.String())
			return
		}
	}
}

func TestALeakOfAMisplacedSecretWouldBeFound(t *testing.T) {
	for name, secret := range misplaced {
		shown := shownBy(&gatepass.Error{Message: "open " + secret + ": no such file"})
		if parts := partsOf(secret); len(parts) < 3 || !strings.Contains(shown, parts[1]) {
			t.Errorf("%s: %q in %s", name, parts, shown)
		}
	}
}

// nobody is a transport to no endpoint at all.
var nobody = gatepass.WithTransport(transport(func(*http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	recorder.WriteHeader(http.StatusForbidden)
	return recorder.Result(), nil
}))

// errorsOf are all that a source with these options comes to.
func errorsOf(t *testing.T, options ...gatepass.SourceOption) []any {
	t.Helper()
	source, err := gatepass.NewSource(append(options, impatient(), nobody)...)
	if err != nil {
		return []any{err}
	}
	_, idToken := source.IDToken(deadline(t), audience)
	_, accessToken := source.AccessToken(deadline(t), "https://www.googleapis.com/auth/cloud-platform")
	_, jwt := source.SelfSignedJWT(deadline(t), audience)
	return []any{source, idToken, accessToken, jwt}
}

// A secret in the place of an option's value. Which options there are, the schemas say.
func TestSecretsAsOptions(t *testing.T) {
	ofSources := map[string]func(string) gatepass.SourceOption{
		"credentials_file": gatepass.WithCredentialsFile,
		"credentials_json": func(secret string) gatepass.SourceOption { return gatepass.WithCredentialsJSON([]byte(secret)) },
		"impersonate":      func(secret string) gatepass.SourceOption { return gatepass.WithImpersonation(secret) },
		"delegates":        func(secret string) gatepass.SourceOption { return gatepass.WithImpersonation(caller, secret) },
		"subject":          gatepass.WithSubject, "gdch_audience": gatepass.WithGDCHAudience,
		"expect_type": gatepass.WithExpectedType, "quota_project_id": gatepass.WithQuotaProject,
		"universe_domain":   gatepass.WithUniverseDomain,
		"trusted_endpoints": func(secret string) gatepass.SourceOption { return gatepass.WithTrustedEndpoints(secret) },
	}
	ofVerifiers := map[string]func(string) gatepass.VerifierOption{
		"preset":           func(secret string) gatepass.VerifierOption { return gatepass.WithPreset(gatepass.Preset(secret)) },
		"issuers":          func(secret string) gatepass.VerifierOption { return gatepass.WithIssuers(secret) },
		"algorithms":       func(secret string) gatepass.VerifierOption { return gatepass.WithAlgorithms(secret) },
		"audiences":        func(secret string) gatepass.VerifierOption { return gatepass.WithAudience(secret) },
		"keys":             func(secret string) gatepass.VerifierOption { return gatepass.WithKeys([]byte(secret)) },
		"keys_url":         gatepass.WithKeysURL,
		"allowed_emails":   func(secret string) gatepass.VerifierOption { return gatepass.WithAllowedEmails(secret) },
		"allowed_subjects": func(secret string) gatepass.VerifierOption { return gatepass.WithAllowedSubjects(secret) },
	}
	for name, secret := range misplaced {
		clearEnv(t)
		t.Setenv("NO_GCE_CHECK", "true")
		logged := captureLog(t)
		for option := range textsIn(t, "source_options") {
			with, isKnown := ofSources[option]
			if !isKnown {
				t.Errorf("nobody gives the option %s", option)
				continue
			}
			mustHide(t, option, name, logged, append(errorsOf(t, with(secret)), with(secret))...)
		}
		for option := range textsIn(t, "verifier_options") {
			with, isKnown := ofVerifiers[option]
			if !isKnown {
				if option != "k_service" {
					t.Errorf("nobody gives the option %s", option)
				}
				continue
			}
			options := []gatepass.VerifierOption{with(secret), nobody, impatient()}
			if option != "audiences" {
				options = append(options, gatepass.WithAudience(audience))
			}
			_, explained := gatepass.Explain("a", gatepass.Call{}, options...)
			verifier, err := gatepass.NewVerifier(options...)
			mustHide(t, option, name, logged, verifier, err, with(secret), explained)
		}
		// And as arguments.
		source := got(gatepass.NewSource(nobody))(t)
		_, idToken := source.IDToken(deadline(t), secret)
		_, accessToken := source.AccessToken(deadline(t), secret)
		_, client := gatepass.NewClient(deadline(t), secret)
		_, header := gatepass.NewClient(deadline(t), audience, gatepass.WithTokenHeader(gatepass.TokenHeader(secret)))
		_, url := gatepass.AudienceForURL(secret)
		_, called := gatepass.Explain(secret, gatepass.Call{URL: secret, Header: secret})
		verifier := got(gatepass.NewVerifier(gatepass.WithAudience(audience), gatepass.WithKeys([]byte(`{"keys":[]}`))))(t)
		_, token := verifier.Validate(deadline(t), secret)
		mustHide(t, "an argument", name, logged, idToken, accessToken, client, header, url, called, token)
		request := httptest.NewRequest(http.MethodGet, "/", nil)
		for _, header := range []string{"Authorization", "X-Serverless-Authorization", "X-Goog-Iap-Jwt-Assertion"} {
			request.Header.Set(header, strings.ReplaceAll(secret, "\n", " "))
			recorder := httptest.NewRecorder()
			gatepass.RequireIDToken(verifier)(http.NotFoundHandler()).ServeHTTP(recorder, request)
			mustHide(t, header, name, logged, recorder.Body.String())
		}
	}
}

// textsIn are the options that a schema has, whose values are texts or lists of them.
func textsIn(t *testing.T, schema string) map[string]bool {
	t.Helper()
	var document struct {
		Properties map[string]struct {
			Type json.RawMessage
			Enum []string
		}
	}
	readVectors(t, "../../interface/"+schema+".schema.json", &document)
	found := map[string]bool{}
	for name, property := range document.Properties {
		if kind := string(property.Type); strings.Contains(kind, "string") || strings.Contains(kind, "array") || property.Enum != nil {
			found[name] = true
		}
	}
	if len(found) < 8 {
		t.Fatalf("%s: only %v", schema, found)
	}
	return found
}

// A secret in the place of a variable's value. Which variables there are, the core says.
func TestSecretsAsVariables(t *testing.T) {
	environment := string(got(os.ReadFile("../../core/src/environment.rs"))(t))
	environment, _, _ = strings.Cut(environment, "#[cfg(test)]")
	var names []string
	for _, quoted := range regexp.MustCompile(`"[A-Za-z][A-Z0-9_a-z]{3,}"`).FindAllString(environment, -1) {
		name := strings.Trim(quoted, `"`)
		if upper := strings.ToUpper(name); name == upper || strings.HasSuffix(name, "_proxy") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) < 20 {
		t.Fatalf("only %q", names)
	}
	aws := asJSON(t, object{
		"type": "external_account", "audience": provider, "subject_token_type": "urn:ietf:params:aws:token-type:aws4_request",
		"token_url": "https://sts.googleapis.com/v1/token", "credential_source": object{
			"environment_id": "aws1", "regional_cred_verification_url": "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
		},
	})
	for _, variable := range names {
		t.Run(variable, func(t *testing.T) {
			for name, secret := range misplaced {
				clearEnv(t)
				t.Setenv("GCE_METADATA_HOST", "127.0.0.1:1")
				t.Setenv("GCE_METADATA_IP", "127.0.0.1:1")
				t.Setenv("AWS_REGION", "eu-west-1")
				t.Setenv(variable, secret)
				logged := captureLog(t)
				found := append(errorsOf(t), errorsOf(t, gatepass.WithCredentialsJSON(aws))...)
				_, own := gatepass.OwnAudiences(deadline(t))
				verifier, err := gatepass.NewVerifier(gatepass.WithAudience(audience), nobody)
				mustHide(t, variable, name, logged, append(found, own, verifier, err)...)
			}
		})
	}
}

// A secret in the place of a field's value, in a credential file of every kind. Which members there are, the schema says:
// its examples have them all.
func TestSecretsAsFields(t *testing.T) {
	emulator := startEmulator(t)
	schema := string(got(os.ReadFile("../../interface/credential_file.schema.json"))(t))
	var kinds struct {
		AnyOf []struct {
			Title    string
			Examples []object
		}
	}
	must(t, json.Unmarshal([]byte(strings.ReplaceAll(schema, "https://emulator.example", emulator.URL)), &kinds))
	if len(kinds.AnyOf) < 10 {
		t.Fatalf("only %d kinds", len(kinds.AnyOf))
	}
	key := func(options ...string) (file object) {
		must(t, json.Unmarshal(got(os.ReadFile(emulator.keyFile(options...)))(t), &file))
		return file
	}
	keys := map[any]any{ // That sign.
		"service_account":      key("--email", caller)["private_key"],
		"gdch_service_account": key("--type", "gdch_service_account", "--name", "orders")["private_key"],
	}
	for _, kind := range kinds.AnyOf {
		t.Run(kind.Title, func(t *testing.T) {
			emulator.setEnv()
			t.Setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
			file := kind.Examples[0]
			if file["private_key"] != nil {
				file["private_key"] = keys[file["type"]]
			}
			t.Chdir(t.TempDir()) // A program writes its answer to the output file, whatever that is called.
			for name, secret := range misplaced {
				eachTextReplaced(map[string]any(file), secret, func(path string) {
					logged := captureLog(t)
					found := errorsOf(t, gatepass.WithCredentialsJSON(asJSON(t, file)),
						gatepass.WithTrustedEndpoints(emulator.Host(), emulator.URL))
					mustHide(t, path, name, logged, found...)
				})
			}
		})
	}
}

// eachTextReplaced calls see for each text in a document, while another stands there.
func eachTextReplaced(document any, other string, see func(path string)) {
	var within func(value any, path string, set func(any))
	within = func(value any, path string, set func(any)) {
		switch value := value.(type) {
		case string:
			set(other)
			see(path)
			set(value)
		case map[string]any:
			for name, member := range value {
				within(member, path+"/"+name, func(other any) { value[name] = other })
			}
		case []any:
			for i, member := range value {
				within(member, path+"/", func(other any) { value[i] = other })
			}
		}
	}
	within(document, "", func(any) {})
}
