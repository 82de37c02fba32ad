package gatepass_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"gatepass.dev/gatepass"
)

func TestIDTokenFromTheMetadataServer(t *testing.T) {
	emulator := startEmulator(t)
	emulator.setEnv()
	verifier := got(gatepass.NewVerifier(
		gatepass.WithAudience(audience), gatepass.WithKeysURL(emulator.keysURL())))(t)

	source := got(gatepass.NewSource())(t)
	token := got(source.IDToken(deadline(t), audience))(t)
	if token.TokenType != "Bearer" || !token.Valid() || time.Until(token.Expiry) > time.Hour {
		t.Errorf("type %s, expires %s", token.TokenType, token.Expiry)
	}
	payload := got(verifier.Validate(deadline(t), token.AccessToken))(t)
	if payload.Audience != audience || payload.Claims["email"] == nil {
		t.Errorf("%+v", payload)
	}
	again := got(source.IDToken(deadline(t), audience))(t)
	if again.AccessToken != token.AccessToken || emulator.requests(identityPath) != 1 {
		t.Errorf("%d requests for one token", emulator.requests(identityPath))
	}
	if header := got(source.IDTokenHeader(deadline(t), audience))(t); header != "Bearer "+token.AccessToken {
		t.Error("the header is of another token")
	}
	if _, err := source.IDTokenHeader(deadline(t), ""); !errors.Is(err, gatepass.ErrInvalidAudience) {
		t.Errorf("%v", err)
	}
}

// The one-line call and the sources without options share the process's own source.
func TestTheSourceOfTheProcess(t *testing.T) {
	emulator := startEmulator(t)
	emulator.setEnv()
	audience := audience + "/" + rand.Text() // Nobody has asked for this one.
	text := got(gatepass.FetchIDToken(deadline(t), audience))(t)
	source := got(gatepass.NewTokenSource(deadline(t), audience))(t)
	shared := got(got(gatepass.DefaultSource())(t).IDToken(deadline(t), audience))(t)
	if got(source.Token())(t) != shared || shared.AccessToken != text || emulator.requests(identityPath) != 1 {
		t.Errorf("%d requests, expected 1", emulator.requests(identityPath))
	}
	payload := got(gatepass.Validate(deadline(t), text, audience, gatepass.WithKeysURL(emulator.keysURL())))(t)
	if payload.Audience != audience {
		t.Errorf("%+v", payload)
	}
}

func TestIDTokenFromAKeyFile(t *testing.T) {
	const email = "caller@project.iam.gserviceaccount.com"
	emulator := startEmulator(t)
	clearEnv(t)
	path := emulator.keyFile("--email", email)
	text := got(os.ReadFile(path))(t)
	trusted := gatepass.WithTrustedEndpoints(emulator.Host())
	ways := map[string]func(*testing.T) []gatepass.SourceOption{
		"file": func(*testing.T) []gatepass.SourceOption {
			return []gatepass.SourceOption{gatepass.WithCredentialsFile(path), trusted}
		},
		"json": func(*testing.T) []gatepass.SourceOption {
			return []gatepass.SourceOption{gatepass.WithCredentialsJSON(text), trusted}
		},
		"environment": func(t *testing.T) []gatepass.SourceOption {
			t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", path)
			t.Setenv("GATEPASS_TRUSTED_ENDPOINTS", emulator.Host())
			return nil
		},
	}
	for name, options := range ways {
		t.Run(name, func(t *testing.T) {
			source := got(gatepass.NewSource(options(t)...))(t)
			token := got(source.IDToken(deadline(t), audience))(t)
			payload := got(gatepass.Validate(
				deadline(t), token.AccessToken, audience, gatepass.WithKeysURL(emulator.keysURL())))(t)
			if payload.Claims["email"] != email {
				t.Errorf("%v, expected %s", payload.Claims["email"], email)
			}
		})
	}
}

func TestAccessToken(t *testing.T) {
	emulator := startEmulator(t)
	emulator.setEnv()
	source := got(gatepass.NewSource())(t)
	none := got(source.AccessToken(deadline(t)))(t)
	scoped := got(source.AccessToken(deadline(t), "https://www.googleapis.com/auth/cloud-platform"))(t)
	if none.AccessToken == "" || scoped.AccessToken == "" || !scoped.Valid() {
		t.Errorf("no token")
	}
	// A client in the context makes the source another one than the process's own.
	ctx := context.WithValue(deadline(t), oauth2.HTTPClient, &http.Client{Transport: http.DefaultTransport})
	tokens := got(gatepass.NewAccessTokenSource(ctx, []string{"a", "b"}))(t)
	if got(tokens.Token())(t).AccessToken == "" {
		t.Errorf("no token")
	}
}

func TestAServiceAccountSignsForItself(t *testing.T) {
	emulator := startEmulator(t)
	clearEnv(t)
	source := got(gatepass.NewSource(
		gatepass.WithCredentialsFile(emulator.keyFile("--email", caller)), gatepass.WithSelfSignedAccessTokens(),
		gatepass.WithTrustedEndpoints(emulator.Host())))(t)
	claims := claimsIn(t, got(source.SelfSignedJWT(deadline(t), audience))(t).AccessToken)
	if claims["iss"] != caller || claims["aud"] != audience {
		t.Errorf("%v", claims)
	}
	claims = claimsIn(t, got(source.AccessToken(deadline(t), "a", "b"))(t).AccessToken)
	if claims["iss"] != caller || claims["scope"] != "a b" {
		t.Errorf("%v", claims)
	}
	if requests := emulator.requests("/token"); requests != 0 {
		t.Errorf("%d requests, expected none", requests)
	}
}

func TestTheProjectThatIsBilled(t *testing.T) {
	startEmulator(t).setEnv()
	source := got(gatepass.NewSource(gatepass.WithQuotaProject("billed")))(t)
	headers := got(source.AccessTokenHeaders(deadline(t), "a"))(t)
	token := got(source.AccessToken(deadline(t), "a"))(t)
	expected := http.Header{"Authorization": {"Bearer " + token.AccessToken}, "X-Goog-User-Project": {"billed"}}
	if !reflect.DeepEqual(headers, expected) {
		t.Errorf("there are %d headers, others than expected", len(headers))
	}
}

// Each of these options reaches the core, which refuses what does not fit the credentials.
func TestOptionsThatDoNotFitTheCredentials(t *testing.T) {
	emulator := startEmulator(t)
	emulator.setEnv()
	source := got(gatepass.NewSource(gatepass.WithSubject("jane@example.com")))(t)
	_, err := source.AccessToken(deadline(t), "a")
	mustRefuse(t, err, gatepass.ErrSubjectUnsupported)
	source = got(gatepass.NewSource(gatepass.WithExpectedType("service_account")))(t)
	_, err = source.IDToken(deadline(t), audience)
	mustRefuse(t, err, gatepass.ErrCredentialsTypeUnexpected)
	source = got(gatepass.NewSource())(t)
	_, err = source.SelfSignedJWT(deadline(t), audience)
	mustRefuse(t, err, gatepass.ErrSelfSignedJWTUnsupported)
}

func TestAnotherUniverse(t *testing.T) {
	emulator := startEmulator(t)
	clearEnv(t)
	var file object
	must(t, json.Unmarshal(got(os.ReadFile(emulator.keyFile("--email", caller)))(t), &file))
	file["universe_domain"] = "universe.example"
	options := []gatepass.SourceOption{
		gatepass.WithCredentialsJSON(asJSON(t, file)), gatepass.WithTrustedEndpoints(emulator.Host()),
	}
	_, err := got(gatepass.NewSource(options...))(t).AccessToken(deadline(t), "a")
	mustRefuse(t, err, gatepass.ErrCredentialsFileInvalid)
	options = append(options, gatepass.WithUniverseDomain("universe.example"))
	got(got(gatepass.NewSource(options...))(t).AccessToken(deadline(t), "a"))(t)
}

// A person has an ID token of the login only, and only if that is asked for.
func TestTheIDTokenOfALogin(t *testing.T) {
	clearEnv(t)
	token := unsignedToken(t, object{"aud": "client", "exp": time.Now().Add(time.Hour).Unix()})
	login := transport(func(*http.Request) (*http.Response, error) {
		recorder := httptest.NewRecorder()
		recorder.Write(asJSON(t, object{"access_token": "a", "id_token": token, "expires_in": 3600}))
		return recorder.Result(), nil
	})
	options := []gatepass.SourceOption{gatepass.WithTransport(login), gatepass.WithCredentialsJSON(asJSON(t, object{
		"type": "authorized_user", "client_id": "client", "client_secret": "secret", "refresh_token": "refresh",
	}))}
	_, err := got(gatepass.NewSource(options...))(t).IDToken(deadline(t), audience)
	mustRefuse(t, err, gatepass.ErrIDTokenUnsupported)
	source := got(gatepass.NewSource(append(options, gatepass.WithUserIDToken())...))(t)
	if got(source.IDToken(deadline(t), audience))(t).AccessToken != token {
		t.Error("another token")
	}
}

// The account's own token asks for one of the account that is impersonated.
func TestImpersonation(t *testing.T) {
	emulator := startEmulator(t)
	emulator.setEnv()
	token := issued(t, time.Now(), time.Hour)
	iam := transport(func(request *http.Request) (*http.Response, error) {
		body := string(got(io.ReadAll(request.Body))(t))
		if !strings.Contains(request.URL.String(), "/"+caller+":generateIdToken") ||
			!strings.Contains(body, "delegate@project") ||
			!strings.HasPrefix(request.Header.Get("Authorization"), "Bearer ") {
			t.Errorf("%s %s", request.URL, body)
		}
		recorder := httptest.NewRecorder()
		json.NewEncoder(recorder).Encode(object{"token": token})
		return recorder.Result(), nil
	})
	source := got(gatepass.NewSource(
		gatepass.WithImpersonation(caller, "delegate@project.iam.gserviceaccount.com"), gatepass.WithTransport(iam)))(t)
	if got(source.IDToken(deadline(t), audience))(t).AccessToken != token {
		t.Error("another token")
	}
}

// Whoever needs a token while it is fetched waits for that one request.
func TestHerd(t *testing.T) {
	emulator := startEmulator(t)
	emulator.setEnv()
	emulator.fault(identityPath, fault{Delay: 100 * time.Millisecond})
	source := got(gatepass.NewSource())(t)
	var done sync.WaitGroup
	for range 100 {
		done.Add(1)
		go func() {
			defer done.Done()
			if token, err := source.IDToken(deadline(t), audience); err != nil || token.AccessToken == "" {
				t.Errorf("no token: %v", err)
			}
		}()
	}
	done.Wait()
	if requests := emulator.requests(identityPath); requests != 1 {
		t.Errorf("%d requests, expected 1", requests)
	}
}

func TestADeadlineEndsAFetch(t *testing.T) {
	server := startMetadataServer(t)
	ctx, cancel := context.WithDeadline(deadline(t), time.Now().Add(-time.Second))
	defer cancel()
	source := got(gatepass.NewTokenSource(ctx, audience, gatepass.WithTrustedEndpoints()))(t)
	if _, err := source.Token(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, expected the context's error", err)
	}
	if asked := server.asked.Load(); asked != 0 {
		t.Errorf("%d requests after the deadline", asked)
	}
}

func TestBadCredentialFiles(t *testing.T) {
	clearEnv(t)
	folder := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		must(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	cases := []struct {
		path, names string
		code        gatepass.Code
	}{
		{filepath.Join(folder, "missing.json"), "missing.json", gatepass.ErrCredentialsFileUnreadable},
		{folder, folder, gatepass.ErrCredentialsFileUnreadable},
		{file("text.json", "hunter2 is no JSON"), "text.json", gatepass.ErrCredentialsFileInvalid},
		{file("type.json", `{"type":"hunter2_account"}`), "hunter2_account", gatepass.ErrCredentialsTypeUnknown},
		{file("field.json", `{"type":"service_account","private_key":"hunter2"}`), "client_email",
			gatepass.ErrCredentialsFileInvalid},
		{file("large.json", strings.Repeat("hunter2 ", 1<<18)), "large.json", gatepass.ErrCredentialsFileUnreadable},
	}
	for _, c := range cases {
		t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", c.path)
		source := got(gatepass.NewSource())(t)
		_, err := source.IDToken(deadline(t), audience)
		if !errors.Is(err, c.code) || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%s: %v, expected %s", c.path, err, c.code)
		}
		if c.code != gatepass.ErrCredentialsTypeUnknown && strings.Contains(fmt.Sprint(err), "hunter2") {
			t.Errorf("%s: the error shows the file's content: %v", c.path, err)
		}
	}
}

func TestNoCredentialsAnywhere(t *testing.T) {
	clearEnv(t)
	t.Setenv("NO_GCE_CHECK", "true")
	source := got(gatepass.NewSource())(t)
	_, err := source.IDToken(deadline(t), audience)
	if !errors.Is(err, gatepass.ErrCredentialsNotFound) {
		t.Fatalf("%v", err)
	}
	for _, tried := range []string{"GOOGLE_APPLICATION_CREDENTIALS", "gcloud", "metadata server"} {
		if !strings.Contains(err.Error(), tried) {
			t.Errorf("%q says nothing of %s", err, tried)
		}
	}
}

// Whatever the token endpoint does, the error is clear, and the next call works.
func TestATokenEndpointThatMisbehaves(t *testing.T) {
	emulator := startEmulator(t)
	clearEnv(t)
	path := emulator.keyFile("--email", caller)
	cases := map[string]struct {
		fault fault
		code  gatepass.Code
	}{
		"HTML":     {fault{Status: 200, Body: "<html>log in, hunter2</html>"}, gatepass.ErrTokenResponseInvalid},
		"nothing":  {fault{Status: 200, Body: "", Times: 4}, gatepass.ErrTokenResponseInvalid},
		"10 MB":    {fault{Status: 200, BodyBytes: 10_000_000}, gatepass.ErrResponseTooLarge},
		"redirect": {fault{Status: 302, Headers: map[string]string{"Location": "http://127.0.0.1:1/"}}, gatepass.ErrRedirectRefused},
		"refusal":  {fault{Status: 400, Body: object{"error": "invalid_grant"}}, gatepass.ErrTokenRefused},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			clock := clockAt(time.Now())
			source := got(gatepass.NewSource(
				gatepass.WithCredentialsFile(path), gatepass.WithTrustedEndpoints(emulator.Host()),
				gatepass.WithClock(clock.now)))(t)
			emulator.fault("/token", c.fault)
			_, err := source.IDToken(deadline(t), audience)
			if !errors.Is(err, c.code) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v, expected %s", err, c.code)
			}
			emulator.Reset(t)
			got(source.IDToken(deadline(t), audience))(t)
		})
	}
}

func TestWrongArguments(t *testing.T) {
	clearEnv(t)
	source := got(gatepass.NewSource())(t)
	for _, audience := range []string{"", " a", "a\r\nX-Evil: 1"} {
		if _, err := source.IDToken(deadline(t), audience); !errors.Is(err, gatepass.ErrInvalidAudience) {
			t.Errorf("%q: %v", audience, err)
		}
		tokens, err := gatepass.NewTokenSource(deadline(t), audience)
		if !errors.Is(err, gatepass.ErrInvalidAudience) || tokens != nil {
			t.Errorf("%q: %v, %v", audience, tokens, err)
		}
	}
	client, err := gatepass.NewClient(deadline(t), " a")
	if !errors.Is(err, gatepass.ErrInvalidAudience) || client != nil {
		t.Errorf("%v, %v", client, err)
	}
	if _, err := source.IDToken(deadline(t), "\xff"); !isUsage(err) {
		t.Errorf("%v", err)
	}
	if _, err := source.AccessToken(deadline(t), "é"); !errors.Is(err, gatepass.ErrInvalidOption) {
		t.Errorf("%v", err)
	}
	both := []gatepass.SourceOption{gatepass.WithCredentialsFile("a"), gatepass.WithCredentialsJSON([]byte("{}"))}
	if source, err := gatepass.NewSource(both...); !errors.Is(err, gatepass.ErrInvalidOption) || source != nil {
		t.Errorf("%v", err)
	}
	tokens, err := gatepass.NewAccessTokenSource(deadline(t), nil, both...)
	if !errors.Is(err, gatepass.ErrInvalidOption) || tokens != nil {
		t.Errorf("%v, %v", tokens, err)
	}
	if _, err := gatepass.AudienceForURL("ftp://a"); !errors.Is(err, gatepass.ErrInvalidAudience) {
		t.Errorf("%v", err)
	}
	if audience := got(gatepass.AudienceForURL("https://tag---a-uc.a.run.app/x"))(t); audience != "https://a-uc.a.run.app" {
		t.Errorf("%s", audience)
	}
}

// More audiences than are kept at hand do no harm.
func TestManyAudiences(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Metadata-Flavor", "Google")
		w.Write([]byte(unsignedToken(t, object{
			"aud": r.URL.Query().Get("audience"), "exp": time.Now().Add(time.Hour).Unix(),
		})))
	}))
	defer server.Close()
	clearEnv(t)
	t.Setenv("GCE_METADATA_HOST", strings.TrimPrefix(server.URL, "http://"))
	source := got(gatepass.NewSource())(t)
	for i := range 1500 {
		got(source.IDToken(deadline(t), fmt.Sprintf("%s/%d", audience, i)))(t)
	}
}

func isUsage(err error) bool {
	var failed *gatepass.Error
	return errors.As(err, &failed) && failed.Kind == gatepass.KindUsage
}
