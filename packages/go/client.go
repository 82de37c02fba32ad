package gatepass

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
)

// NewClient returns a client that attaches an ID token for audience to every request. Without an audience (""), each
// request's URL tells it as [AudienceForURL] says. When the client follows a redirect to another origin, it sends no
// token there, nor back. A request's own context is used to get its token.
//
// As golang.org/x/oauth2 has it, the client is made like the [*http.Client] that the context may hold under
// [oauth2.HTTPClient]; its transport carries the requests and serves as [WithTransport]. It fails as [NewTokenSource]
// does.
func NewClient(ctx context.Context, audience string, options ...SourceOption) (*http.Client, error) {
	source, err := sourceFor(ctx, options)
	if err != nil {
		return nil, err
	}
	if audience != "" {
		if err := source.slot(slotKey{idToken, audience}).probe(); err != nil {
			return nil, err
		}
	}
	client := http.Client{}
	if base, _ := ctx.Value(oauth2.HTTPClient).(*http.Client); base != nil {
		client = *base
	}
	client.Transport = &attachingTransport{source: source, audience: audience, base: client.Transport}
	return &client, nil
}

// attachingTransport attaches tokens.
type attachingTransport struct {
	source *Source
	// audience is empty if each request's URL tells it.
	audience string
	// base carries the requests; nil is http.DefaultTransport.
	base http.RoundTripper
}

// RoundTrip attaches a token to a copy of the request, unless a redirect leads it away from where it was meant to go.
func (t *attachingTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	base := t.base
	if base == nil {
		base = http.DefaultTransport
	}
	if !staysAtItsOrigin(request) {
		return base.RoundTrip(request)
	}
	warm, err := t.token(request)
	if err != nil {
		if request.Body != nil {
			request.Body.Close()
		}
		return nil, err
	}
	request = request.Clone(request.Context())
	request.Header.Set("Authorization", warm.header)
	return base.RoundTrip(request)
}

func (t *attachingTransport) token(request *http.Request) (*warmToken, error) {
	audience := t.audience
	if audience == "" {
		var err error
		if audience, err = AudienceForURL(request.URL.String()); err != nil {
			return nil, err
		}
	}
	return t.source.slot(slotKey{idToken, audience}).get(request.Context())
}

func (t *attachingTransport) Format(f fmt.State, _ rune) { io.WriteString(f, "gatepass.Transport") }

// staysAtItsOrigin looks back through the redirects that led to a request. One that does not say where it came from
// may come from anywhere.
func staysAtItsOrigin(request *http.Request) bool {
	for request.Response != nil {
		before := request.Response.Request
		if before == nil || origin(before.URL) != origin(request.URL) {
			return false
		}
		request = before
	}
	return true
}

// origin returns scheme, host and port (RFC 6454, section 4).
func origin(url *url.URL) string {
	port := url.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[url.Scheme]
	}
	return url.Scheme + "://" + strings.ToLower(url.Hostname()) + ":" + port
}
