package gatepass

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"gatepass.dev/gatepass/internal/driver"
)

// NewClient returns a client that attaches an ID token for audience to every request. Without an audience (""), it is
// derived from each request's URL as [AudienceForURL] says. A request's own context is used to get its token.
//
// No token is sent over plain http, except to a loopback host; nor after a redirect to another origin, nor back from
// there. After a 401 the token is replaced, once a minute at most, and the request repeated if its body can be.
//
// As golang.org/x/oauth2 has it, the client is made like the [*http.Client] that the context may hold under
// [oauth2.HTTPClient]; its transport carries the requests and serves as [WithTransport]. It fails as [NewTokenSource]
// does.
func NewClient(ctx context.Context, audience string, options ...ClientOption) (*http.Client, error) {
	settings := &clientSettings{}
	for _, option := range options {
		option.applyToClient(settings)
	}
	settings.call.Audience = audience
	source, err := sourceFor(ctx, settings.source)
	if err != nil {
		return nil, err
	}
	if err := settings.call.check(); err != nil {
		return nil, err
	}
	if audience != "" {
		if err := source.slot(slotKey{idToken, audience}).probe(); err != nil {
			return nil, err
		}
	}
	client := http.Client{}
	if base, _ := driver.Known(ctx).Value(oauth2.HTTPClient).(*http.Client); base != nil {
		client = *base
	}
	client.Transport = &attachingTransport{source: source, call: settings.call, base: client.Transport}
	return &client, nil
}

// attachingTransport attaches tokens.
type attachingTransport struct {
	source *Source
	call   plannedCall
	plans  table[string, *CallPlan]
	// base carries the requests; nil is http.DefaultTransport.
	base http.RoundTripper
}

// RoundTrip attaches a token to a copy of the request, unless a redirect leads it away from where it was meant to go.
func (t *attachingTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	if !staysAtItsOrigin(request) {
		return t.carrier().RoundTrip(request)
	}
	response, err := t.attach(request)
	if err != nil && response == nil && request.Body != nil {
		request.Body.Close() // As every RoundTripper must.
	}
	return response, err
}

// CloseIdleConnections closes those of the transport that carries the requests, if that can.
func (t *attachingTransport) CloseIdleConnections() {
	if closer, ok := t.carrier().(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// attach sends the request with a token, and once more with another one if the core says so and the body can be had anew.
func (t *attachingTransport) attach(request *http.Request) (*http.Response, error) {
	plan, err := t.plan(request.URL)
	if err != nil {
		return nil, err
	}
	slot := t.source.slot(slotKey{idToken, plan.Audience})
	warm, err := slot.get(request.Context())
	if err != nil {
		return nil, err
	}
	response, err := t.carrier().RoundTrip(plan.withToken(request, warm.header))
	if err != nil || !slot.isReplaced(warm, response.StatusCode) {
		return response, err
	}
	again, err := repeated(request)
	if err != nil {
		return response, nil
	}
	if warm, err = slot.get(request.Context()); err != nil {
		return response, nil // The receiver's refusal says more.
	}
	io.CopyN(io.Discard, response.Body, drained) // So that its connection can be used again.
	response.Body.Close()
	return t.carrier().RoundTrip(plan.withToken(again, warm.header))
}

// drained is the most of a refusal's body that is read for the sake of its connection.
const drained = 64 << 10

func (t *attachingTransport) carrier() http.RoundTripper {
	if t.base == nil {
		return http.DefaultTransport
	}
	return t.base
}

// plan is the same for all requests of an origin.
func (t *attachingTransport) plan(url *url.URL) (*CallPlan, error) {
	if url.User != nil {
		return t.call.plan(url.String())
	}
	return t.plans.get(url.Scheme+"://"+url.Host, func() (*CallPlan, error) { return t.call.plan(url.String()) })
}

func (t *attachingTransport) Format(f fmt.State, _ rune) { io.WriteString(f, "gatepass.Transport") }

// withToken returns a copy of the request with a token in its place.
func (p *CallPlan) withToken(request *http.Request, header string) *http.Request {
	request = request.Clone(request.Context())
	for _, name := range p.Headers {
		request.Header.Set(name, header)
	}
	return request
}

// repeated returns the request with its body from the beginning.
func repeated(request *http.Request) (*http.Request, error) {
	if request.Body == nil || request.Body == http.NoBody {
		return request, nil
	}
	if request.GetBody == nil {
		return nil, http.ErrBodyNotAllowed
	}
	body, err := request.GetBody()
	if err != nil {
		return nil, err
	}
	request = request.WithContext(request.Context())
	request.Body = body
	return request, nil
}

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
