package gatepassgrpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"golang.org/x/oauth2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"gatepass.dev/gatepass"
)

// Credentials attach a token to each call: they are [credentials.PerRPCCredentials], for a connection or for single calls.
// They are safe for concurrent use, by any number of connections to any number of services.
//
// A call whose token cannot be had ends with UNAVAILABLE if the same call may succeed later, else with UNAUTHENTICATED.
// [errors.Is] and [errors.As] find gatepass's own error in that of the call. When the call's context ends, so does its
// waiting for a token, while others go on to wait for the same one.
type Credentials struct {
	source   *gatepass.Source
	scopes   []string
	call     gatepass.GRPCCall
	services table
}

// NewIDTokenCredentials returns credentials that attach ID tokens. Without [WithAudience] their audience is derived from
// each call's authority: https:// and its host, without port and traffic tag, which is what Cloud Run expects.
//
// It fails with [gatepass.ErrInvalidOption].
func NewIDTokenCredentials(options ...CredentialsOption) (*Credentials, error) {
	return newCredentials(&Credentials{}, options)
}

// NewAccessTokenCredentials returns credentials that attach access tokens with these OAuth 2.0 scopes, and what goes with
// them, for Google's own APIs. Otherwise as [NewIDTokenCredentials].
func NewAccessTokenCredentials(scopes []string, options ...CredentialsOption) (*Credentials, error) {
	return newCredentials(&Credentials{scopes: scopes, call: gatepass.GRPCCall{WithAccessToken: true}}, options)
}

// CredentialsOption configures [Credentials].
type CredentialsOption func(*Credentials)

// WithSource takes tokens from this source instead of [gatepass.DefaultSource].
func WithSource(source *gatepass.Source) CredentialsOption {
	return func(c *Credentials) { c.source = source }
}

// WithAudience asks for ID tokens for this audience, whatever the call's authority.
func WithAudience(audience string) CredentialsOption {
	return func(c *Credentials) { c.call.Audience = audience }
}

// WithTokenHeader sends ID tokens in this header. [gatepass.ServerlessAuthorization] leaves authorization to the
// application.
func WithTokenHeader(header gatepass.TokenHeader) CredentialsOption {
	return func(c *Credentials) { c.call.TokenHeader = header }
}

// WithAllowPlaintextLoopback sends tokens without TLS as well, to a server at a loopback address: it is for the emulator
// and for tests. To no other server is a token sent without TLS, or something as good.
func WithAllowPlaintextLoopback() CredentialsOption {
	return func(c *Credentials) { c.call.AllowPlaintextLoopback = true }
}

func newCredentials(c *Credentials, options []CredentialsOption) (*Credentials, error) {
	for _, option := range options {
		option(c)
	}
	if _, err := (destination{url: "https://receiver.example"}).plan(c.call); err != nil {
		return nil, err
	}
	if c.source == nil {
		var err error
		if c.source, err = gatepass.DefaultSource(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// GetRequestMetadata returns the metadata of a call. gRPC calls it for each attempt.
func (c *Credentials) GetRequestMetadata(ctx context.Context, uri ...string) (map[string]string, error) {
	held, err := c.held(ctx, strings.Join(uri, "")) // It is one: the service's URL.
	if err != nil {
		return nil, asStatus(err)
	}
	noteUse(ctx, c.source, held.token)
	return held.metadata, nil
}

// RequireTransportSecurity returns false, since gRPC's own refusal would say neither why nor what to do: whether the
// connection is good enough for a token is looked at in every call.
func (c *Credentials) RequireTransportSecurity() bool { return false }

// Format prints that these are credentials, whatever the verb: what they hold is secret.
func (c *Credentials) Format(f fmt.State, _ rune) { io.WriteString(f, "gatepassgrpc.Credentials") }

// A service is what is known of the calls of one destination.
type service struct {
	*gatepass.CallPlan
	warm atomic.Pointer[heldToken]
}

// A heldToken is a token at hand, and the metadata of all calls that carry it.
type heldToken struct {
	token    *oauth2.Token
	metadata map[string]string
}

func (c *Credentials) held(ctx context.Context, url string) (*heldToken, error) {
	if c.source == nil {
		return nil, &gatepass.Error{
			Code: gatepass.ErrInvalidOption, Kind: gatepass.KindUsage,
			Message: "these Credentials are a zero value, expected some from NewIDTokenCredentials",
		}
	}
	service, err := c.services.get(destinationOf(ctx, url), c.call)
	if err != nil {
		return nil, err
	}
	token, err := c.token(ctx, service)
	if err != nil {
		return nil, err
	}
	if warm := service.warm.Load(); warm != nil && warm.token == token {
		return warm, nil
	}
	held := &heldToken{token, map[string]string{}}
	if c.call.WithAccessToken {
		headers, err := c.source.AccessTokenHeaders(ctx, c.scopes...)
		if err != nil {
			return nil, err
		}
		for name := range headers {
			held.metadata[strings.ToLower(name)] = headers.Get(name)
		}
	}
	for _, name := range service.Headers {
		held.metadata[name] = token.TokenType + " " + token.AccessToken
	}
	service.warm.Store(held)
	return held, nil
}

func (c *Credentials) token(ctx context.Context, service *service) (*oauth2.Token, error) {
	if c.call.WithAccessToken {
		return c.source.AccessToken(ctx, c.scopes...)
	}
	return c.source.IDToken(ctx, service.Audience)
}

// A destination is where a call goes.
type destination struct {
	// url is https:// and the call's authority.
	url string
	// plaintextPeer is the server's address if nothing protects the way to it, else empty.
	plaintextPeer string
}

func destinationOf(ctx context.Context, url string) destination {
	if path := strings.Index(strings.TrimPrefix(url, "https://"), "/"); path >= 0 {
		url = url[:len("https://")+path]
	}
	channel, _ := credentials.RequestInfoFromContext(ctx)
	if credentials.CheckSecurityLevel(channel.AuthInfo, credentials.PrivacyAndIntegrity) == nil {
		return destination{url: url}
	}
	server, isKnown := peer.FromContext(ctx)
	if !isKnown || server.Addr == nil {
		return destination{url, "unknown"}
	}
	return destination{url, server.Addr.String()}
}

// plan says how calls carry their token. What travels unprotected is judged by the server's address, since an authority is
// but a name.
func (d destination) plan(call gatepass.GRPCCall) (*gatepass.CallPlan, error) {
	if d.plaintextPeer != "" {
		call.URL, call.IsEncrypted = "https://"+d.plaintextPeer, false
		if _, err := call.Plan(); err != nil {
			return nil, err
		}
	}
	call.URL, call.IsEncrypted = d.url, true
	return call.Plan()
}

// A failure is an error with the status that gRPC gives to the call.
type failure struct {
	code codes.Code
	err  error
}

func (f *failure) Error() string              { return f.GRPCStatus().Err().Error() }
func (f *failure) GRPCStatus() *status.Status { return status.New(f.code, f.err.Error()) }
func (f *failure) Unwrap() error              { return f.err }

func asStatus(err error) error {
	var failed *gatepass.Error
	if errors.As(err, &failed) {
		return &failure{codes.Code(failed.GRPCCallCode()), err}
	}
	// Nothing else fails but the call's own context.
	return status.FromContextError(err).Err()
}
