//go:build go1.25

package gatepass_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"gatepass.dev/gatepass"
)

// A clientCase is an input of the fetching side; see tests/vectors/client/schema.json.
type clientCase struct {
	ID, Name, Kind string
	Input          string
	Env            map[string]string
	Status         int
	Headers        map[string]string
	Location, Body string
	Expected       json.RawMessage
	Reason         string
	Wire           string
	ExpiresAt      int64 `json:"expires_at"`
}

// refusals are the reasons of the corpus, and the error codes that stand for each.
var refusals = map[string][]gatepass.Code{
	"bad_endpoint":          {gatepass.ErrEndpointNotAllowed},
	"bad_source":            {gatepass.ErrCredentialsFileInvalid, gatepass.ErrExecutableNotAllowed},
	"bad_file":              {gatepass.ErrCredentialsFileInvalid, gatepass.ErrCredentialsTypeUnknown},
	"bad_audience_argument": {gatepass.ErrInvalidAudience},
}

// corpusTime is the moment of all cases.
var corpusTime = time.Unix(1_800_000_000, 0)

const receiverOfCorpus = "https://orders-7f3kq2x4ca-uc.a.run.app"

// Every input of the fetching side's attack corpus is taken or refused as expected, through the package's public
// functions.
func TestClientAttackCorpus(t *testing.T) {
	var corpus struct{ Cases []clientCase }
	readVectors(t, vectors+"/client/attack_corpus.json", &corpus)
	if len(corpus.Cases) < 100 {
		t.Fatalf("only %d cases", len(corpus.Cases))
	}
	key := gatepass.WithCredentialsJSON([]byte(corpus.Cases[0].Input)) // It is the key of a service account.
	runners := map[string]func(*testing.T, clientCase){
		"credential_file":   checkCredentialFile,
		"audience":          checkAudience,
		"metadata_response": checkMetadataResponse,
		// In a bubble, whoever waits for a second attempt does so in no time.
		"token_response": inBubble(func(t *testing.T, c clientCase) { checkTokenResponse(t, c, key) }),
		"redirect":       inBubble(func(t *testing.T, c clientCase) { checkTokenResponse(t, c, key) }),
		"header_value":   inBubble(func(t *testing.T, c clientCase) { checkHeaderValue(t, c, key) }),
		"jwks_response":  inBubble(checkKeySetResponse),
	}
	for _, c := range corpus.Cases {
		t.Run(c.ID+" "+c.Name, func(t *testing.T) {
			run, known := runners[c.Kind]
			if !known {
				t.Fatalf("nobody knows how to check a %s", c.Kind)
			}
			clearEnv(t)
			run(t, c)
		})
	}
}

func inBubble(run func(*testing.T, clientCase)) func(*testing.T, clientCase) {
	return func(t *testing.T, c clientCase) {
		synctest.Test(t, func(t *testing.T) { run(t, c) })
	}
}

// A file is accepted if something else is wrong than the file: no credentials of the corpus get a token here.
func checkCredentialFile(t *testing.T, c clientCase) {
	for name, value := range c.Env {
		t.Setenv(name, value)
	}
	endpoint := &endpoint{response: clientCase{Status: http.StatusBadRequest}}
	source := got(gatepass.NewSource(
		gatepass.WithCredentialsJSON([]byte(c.Input)), gatepass.WithTransport(endpoint)))(t)
	_, err := source.AccessToken(deadline(t), "https://www.googleapis.com/auth/cloud-platform")
	c.checkRefusal(t, err, len(endpoint.asked))
}

func checkAudience(t *testing.T, c clientCase) {
	server, asked := serve(t, clientCase{Status: http.StatusBadRequest})
	_, err := server.IDToken(deadline(t), c.Input)
	c.checkRefusal(t, err, len(*asked))
	if c.expects("accept") && !strings.Contains((*asked)[0], "?"+c.Wire+"&") {
		t.Errorf("asked for %s, expected %s in it", (*asked)[0], c.Wire)
	}
}

func checkTokenResponse(t *testing.T, c clientCase, key gatepass.SourceOption) {
	endpoint := &endpoint{response: c}
	source := got(gatepass.NewSource(key, gatepass.WithTransport(endpoint), gatepass.WithClock(corpusClock())))(t)
	var token *oauth2.Token
	var err error
	if strings.Contains(c.Body, "access_token") {
		token, err = source.AccessToken(deadline(t), "a")
	} else {
		token, err = source.IDToken(deadline(t), receiverOfCorpus)
	}
	c.checkOutcome(t, token, err, len(endpoint.asked))
	if c.expects("retry_after_7") {
		if pause := endpoint.asked[1].Sub(endpoint.asked[0]); pause != 7*time.Second {
			t.Errorf("asked again after %s", pause)
		}
	}
}

func checkMetadataResponse(t *testing.T, c clientCase) {
	source, asked := serve(t, c)
	token, err := source.IDToken(deadline(t), receiverOfCorpus)
	c.checkOutcome(t, token, err, len(*asked))
}

func checkHeaderValue(t *testing.T, c clientCase, key gatepass.SourceOption) {
	body := asJSON(t, object{"access_token": c.Input, "expires_in": 3599})
	endpoint := &endpoint{response: clientCase{Status: http.StatusOK, Body: string(body)}}
	source := got(gatepass.NewSource(key, gatepass.WithTransport(endpoint)))(t)
	token, err := source.AccessToken(deadline(t), "a")
	if accepted := err == nil && token.AccessToken == c.Input; accepted != c.expects("accept") {
		t.Errorf("%v", err)
	}
}

// The keys' life shows in when a caller waits for new ones: a day after its end. A token that none of them has signed
// is refused until then, and nothing is asked.
func checkKeySetResponse(t *testing.T, c clientCase) {
	header := got(json.Marshal(object{"alg": "RS256", "kid": c.keyID()}))(t)
	token := base64.RawURLEncoding.EncodeToString(header) + ".e30." + strings.Repeat("AAAA", 86)
	endpoint := &endpoint{response: c}
	verifier := got(gatepass.NewVerifier(
		gatepass.WithAnyAudience(), gatepass.WithKeysURL("https://www.googleapis.com/oauth2/v3/certs"),
		gatepass.WithTransport(endpoint), gatepass.WithClock(corpusClock())))(t)
	validate := func(expected gatepass.Code, requests int) {
		t.Helper()
		if _, err := verifier.Validate(deadline(t), token); !errors.Is(err, expected) {
			t.Errorf("%v, expected %s", err, expected)
		}
		if len(endpoint.asked) != requests {
			t.Errorf("%d requests, expected %d", len(endpoint.asked), requests)
		}
	}
	if c.expects("keep_old_keys") {
		validate(gatepass.ErrKeysUnavailable, 1)
		return
	}
	var expected struct{ TTL int64 }
	must(t, json.Unmarshal(c.Expected, &expected))
	validate(gatepass.ErrBadSignature, 1)
	time.Sleep(time.Duration(expected.TTL)*time.Second + 24*time.Hour - time.Millisecond)
	validate(gatepass.ErrBadSignature, 1)
	time.Sleep(time.Millisecond)
	validate(gatepass.ErrBadSignature, 2)
}

// keyID is that of a key in the body, or "a".
func (c clientCase) keyID() string {
	var set struct{ Keys []struct{ Kid string } }
	var certificates map[string]string
	if json.Unmarshal([]byte(c.Body), &set) == nil && len(set.Keys) > 0 {
		return set.Keys[0].Kid
	}
	if json.Unmarshal([]byte(c.Body), &certificates) == nil {
		for id := range certificates {
			return id
		}
	}
	return "a"
}

func (c clientCase) expects(outcome string) bool { return string(c.Expected) == `"`+outcome+`"` }

// checkRefusal compares an error with `accept`, or `reject` and its reason. Nothing is sent before a refusal.
func (c clientCase) checkRefusal(t *testing.T, err error, requests int) {
	t.Helper()
	var failed *gatepass.Error
	if !errors.As(err, &failed) {
		t.Fatalf("%v, expected an error of gatepass", err)
	}
	refused := slices.Contains(slices.Concat(
		refusals["bad_endpoint"], refusals["bad_source"], refusals["bad_file"], refusals["bad_audience_argument"],
	), failed.Code)
	switch {
	case c.expects("accept") && !refused:
	case c.expects("reject") && slices.Contains(refusals[c.Reason], failed.Code) && requests == 0:
	default:
		t.Errorf("after %d requests: %v, expected %s %s", requests, err, c.Expected, c.Reason)
	}
}

// checkOutcome compares what a response has led to.
func (c clientCase) checkOutcome(t *testing.T, token *oauth2.Token, err error, requests int) {
	t.Helper()
	lifetime := time.Duration(0)
	if token != nil {
		lifetime = token.Expiry.Sub(corpusTime)
	}
	var outcome string
	must(t, json.Unmarshal(c.Expected, &outcome))
	right := map[string]bool{
		"token":         err == nil && token.Expiry.Unix() == c.ExpiresAt,
		"token_clamped": err == nil && lifetime <= 12*time.Hour,
		"token_short":   err == nil && lifetime <= 5*time.Minute,
		"retry":         err != nil && requests > 1,
		"retry_after_7": err != nil && requests > 1,
		"fail":          err != nil && requests == 1,
		"fail_no_secret_in_message": err != nil && requests == 1 &&
			!strings.Contains(err.Error(), "eyJ") && !strings.Contains(err.Error(), "ya29"),
	}[outcome]
	if !right {
		t.Errorf("after %d requests: a life of %s, %v; expected %s", requests, lifetime, err, outcome)
	}
}

// corpusClock is one that starts at the corpus's moment.
func corpusClock() func() time.Time {
	start := time.Now()
	return func() time.Time { return corpusTime.Add(time.Since(start)) }
}

// An endpoint is a transport that answers every request alike, and notes when each came.
type endpoint struct {
	response clientCase
	asked    []time.Time
}

func (e *endpoint) RoundTrip(request *http.Request) (*http.Response, error) {
	e.asked = append(e.asked, time.Now())
	header := http.Header{}
	for name, value := range e.response.Headers {
		header.Set(name, value)
	}
	if e.response.Location != "" {
		header.Set("Location", e.response.Location)
	}
	body := io.NopCloser(strings.NewReader(e.response.Body))
	return &http.Response{StatusCode: e.response.Status, Header: header, Body: body, Request: request}, nil
}

// serve makes a source whose metadata server answers every request with c, and notes the request.
func serve(t *testing.T, c clientCase) (*gatepass.Source, *[]string) {
	t.Helper()
	asked := &[]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.RequestURI)
		for name, value := range c.Headers {
			w.Header().Set(name, value)
		}
		w.WriteHeader(c.Status)
		io.WriteString(w, c.Body)
	}))
	t.Cleanup(server.Close)
	t.Setenv("GCE_METADATA_HOST", strings.TrimPrefix(server.URL, "http://"))
	clock := gatepass.WithClock(func() time.Time { return corpusTime })
	return got(gatepass.NewSource(clock, impatient()))(t), asked
}
