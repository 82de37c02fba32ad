package gatepass

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"gatepass.dev/gatepass/internal/driver"
	"gatepass.dev/gatepass/internal/native"
)

// Source gives tokens of one principal. It caches them, refreshes them in the background, and asks once however many
// callers need the same one. It is safe for concurrent use; a program needs one for each principal.
type Source struct {
	native *native.Source
	driver *driver.Driver
	slots  table[slotKey, *slot]
}

// NewSource makes a source. Without [WithCredentialsFile] or [WithCredentialsJSON] it looks for Application Default
// Credentials when it fetches the first token.
//
// It fails with [ErrInvalidOption].
func NewSource(options ...SourceOption) (*Source, error) {
	// Any number will do, if it differs between processes: it spreads their requests. JSON numbers end at 2^53.
	settings := sourceSettings{Seed: rand.Uint64N(1 << 53)}
	for _, option := range options {
		option.applyToSource(&settings)
	}
	text, err := json.Marshal(settings)
	if err != nil {
		return nil, fault(err)
	}
	source, err := native.NewSource(string(text))
	if err != nil {
		return nil, asError(err)
	}
	return &Source{native: source, driver: driver.New(settings.host, &driver.Flights{})}, nil
}

// DefaultSource returns the source of the program's Application Default Credentials: one for the whole process, which
// [FetchIDToken] uses, and whatever else is made without options. It fails as [NewSource] does.
func DefaultSource() (*Source, error) { return process.Load().source() }

// IDToken returns an ID token for audience: the receiver's URL, a custom audience, or the OAuth client id of IAP.
// The token is shared between callers and must not be modified.
//
// Besides the context's error, any [*Error] of [KindUsage], [KindCredentials] and [KindTransport] is possible.
func (s *Source) IDToken(ctx context.Context, audience string) (*oauth2.Token, error) {
	return s.slot(slotKey{idToken, audience}).token(ctx)
}

// IDTokenHeader returns the value of the Authorization header that goes with a call of audience, for clients other than
// [net/http]'s. It is made once for each token; see [TokenSource.Header] too. Otherwise as [Source.IDToken].
func (s *Source) IDTokenHeader(ctx context.Context, audience string) (string, error) {
	return s.slot(slotKey{idToken, audience}).header(ctx)
}

// AccessToken returns an access token with these OAuth 2.0 scopes. From a metadata server it may have none, and is
// then one with the scopes of the account. Otherwise as [Source.IDToken].
func (s *Source) AccessToken(ctx context.Context, scopes ...string) (*oauth2.Token, error) {
	return s.slot(slotKey{accessToken, strings.Join(scopes, " ")}).token(ctx)
}

// AccessTokenHeaders returns the headers of a call of Google's APIs: Authorization with an access token, as
// [Source.AccessToken] returns it, and what goes with that, such as the project that is billed.
func (s *Source) AccessTokenHeaders(ctx context.Context, scopes ...string) (http.Header, error) {
	token, err := s.AccessToken(ctx, scopes...)
	if err != nil {
		return nil, err
	}
	text, err := s.native.AccessTokenHeaders()
	if err != nil {
		return nil, asError(err)
	}
	var others [][2]string
	if err := json.Unmarshal([]byte(text), &others); err != nil {
		return nil, fault(err)
	}
	headers := http.Header{"Authorization": {token.TokenType + " " + token.AccessToken}}
	for _, header := range others {
		headers.Set(header[0], header[1])
	}
	return headers, nil
}

// SelfSignedJWT returns a JWT for audience that the service account has signed itself (AIP-4111), with its own key or by
// IAM's. Otherwise as [Source.IDToken].
func (s *Source) SelfSignedJWT(ctx context.Context, audience string) (*oauth2.Token, error) {
	return s.slot(slotKey{selfSignedJWT, audience}).token(ctx)
}

// Invalidate replaces a token that a receiver has refused before its time, at most once a minute, and reports whether the
// source now gives another one. It is for clients other than [NewClient]'s, which do this by themselves after a 401.
func (s *Source) Invalidate(token *oauth2.Token) bool {
	if s == nil {
		return true
	}
	for _, slot := range s.slots.read() {
		if warm := slot.warm.Load(); warm != nil && token != nil && warm.token.AccessToken == token.AccessToken {
			return slot.invalidate(warm)
		}
	}
	return true // It is none of those that are given.
}

// FetchIDToken returns an ID token for audience from the program's Application Default Credentials, of [DefaultSource].
func FetchIDToken(ctx context.Context, audience string) (string, error) {
	source, err := DefaultSource()
	if err != nil {
		return "", err
	}
	token, err := source.IDToken(ctx, audience)
	if err != nil {
		return "", err
	}
	return token.AccessToken, nil
}

// A TokenSource gives the tokens of a [Source] for one audience, or with one set of scopes. It is an
// [oauth2.TokenSource], and safe for concurrent use.
type TokenSource struct {
	ctx  context.Context
	slot *slot
}

// NewTokenSource returns a source of ID tokens for audience, as golang.org/x/oauth2 has it: the context is used for
// every token, so it should live as long as the source, and may bring an [*http.Client] under [oauth2.HTTPClient],
// whose transport is used as [WithTransport] says. Without options and client all sources share one cache.
//
// The tokens are shared between callers and must not be modified. It fails with [ErrInvalidOption] and
// [ErrInvalidAudience]; credentials are looked for when the first token is fetched.
func NewTokenSource(ctx context.Context, audience string, options ...SourceOption) (*TokenSource, error) {
	return tokenSourceFor(ctx, slotKey{idToken, audience}, options)
}

// NewAccessTokenSource returns a source of access tokens with these OAuth 2.0 scopes. Otherwise as [NewTokenSource].
func NewAccessTokenSource(ctx context.Context, scopes []string, options ...SourceOption) (*TokenSource, error) {
	return tokenSourceFor(ctx, slotKey{accessToken, strings.Join(scopes, " ")}, options)
}

// Token returns the token, which is shared between callers and must not be modified. It fails as [Source.IDToken] does.
func (s *TokenSource) Token() (*oauth2.Token, error) { return s.slot.token(s.ctx) }

// Header returns the value of the Authorization header with the token, for clients other than [net/http]'s. It is made
// once for each token, so this is the quickest way to it. It fails as [Source.IDToken] does.
func (s *TokenSource) Header() (string, error) { return s.slot.header(s.ctx) }

// Invalidate is [Source.Invalidate] for a token of this source.
func (s *TokenSource) Invalidate(token *oauth2.Token) bool {
	return s.slot == nil || s.slot.source.Invalidate(token)
}

const (
	idToken       = "id_token"
	accessToken   = "access_token"
	selfSignedJWT = "self_signed_jwt"
)

// A slotKey says which token: of which kind, for which audience or scopes.
type slotKey struct{ kind, target string }

// A slot keeps one token at hand, so that while it is fresh nobody has to ask the core.
type slot struct {
	slotKey
	source *Source
	warm   atomic.Pointer[warmToken]
	// keeping is held while warm changes, and guards refusals: how many tokens have been replaced before their time.
	keeping  sync.Mutex
	refusals uint64
}

type warmToken struct {
	token      *oauth2.Token
	header     string
	freshUntil driver.Deadline
}

func tokenSourceFor(ctx context.Context, key slotKey, options []SourceOption) (*TokenSource, error) {
	source, err := sourceFor(ctx, options)
	if err != nil {
		return nil, err
	}
	slot := source.slot(key)
	if err := slot.probe(); err != nil {
		return nil, err
	}
	return &TokenSource{ctx, slot}, nil
}

// sourceFor returns the process's own source, unless something is asked of it that others did not ask for.
func sourceFor(ctx context.Context, options []SourceOption) (*Source, error) {
	client, _ := driver.Known(ctx).Value(oauth2.HTTPClient).(*http.Client)
	if client != nil && client.Transport != nil {
		options = append([]SourceOption{WithTransport(client.Transport)}, options...)
	}
	if len(options) == 0 {
		return DefaultSource()
	}
	return NewSource(options...)
}

// Format prints that this is a source, whatever the verb: what it holds is secret.
func (s *Source) Format(f fmt.State, _ rune) { io.WriteString(f, "gatepass.Source") }

func (s *TokenSource) Format(f fmt.State, _ rune) { io.WriteString(f, "gatepass.TokenSource") }

func (s *Source) slot(key slotKey) *slot {
	if s == nil {
		return &slot{}
	}
	slot, _ := s.slots.get(key, func() (*slot, error) { return &slot{slotKey: key, source: s}, nil })
	return slot
}

func (s *slot) token(ctx context.Context) (*oauth2.Token, error) {
	warm, err := s.get(ctx)
	if err != nil {
		return nil, err
	}
	return warm.token, nil
}

func (s *slot) header(ctx context.Context) (string, error) {
	warm, err := s.get(ctx)
	if err != nil {
		return "", err
	}
	return warm.header, nil
}

func (s *slot) get(ctx context.Context) (*warmToken, error) {
	if s == nil {
		return nil, unusable("TokenSource", "NewTokenSource")
	}
	if s.source == nil || s.source.native == nil {
		return nil, unusable("Source", "NewSource")
	}
	if warm := s.warm.Load(); warm != nil && s.source.driver.IsBefore(&warm.freshUntil) {
		return warm, nil
	}
	return s.settle(ctx)
}

// settle asks the core for the token until there is one, and keeps it at hand.
func (s *slot) settle(ctx context.Context) (*warmToken, error) {
	driver := s.source.driver
	s.keeping.Lock()
	refusals := s.refusals
	s.keeping.Unlock()
	var found native.Lookup
	output, err := driver.Settle(ctx, func() (native.Turn, error) {
		var err error
		found, err = s.source.native.Lookup(s.kind, s.target, driver.Now())
		return found.Turn, err
	})
	if err != nil {
		return nil, asError(err)
	}
	held := token{found.Header, found.ExpiresAtMS, found.FreshUntil.Unix, found.FreshUntil.Monotonic}
	if output != nil {
		if err := json.Unmarshal(output, &held); err != nil {
			return nil, fault(err)
		}
	}
	warm := held.warm()
	s.keep(warm, refusals)
	return warm, nil
}

// keep keeps a token that was asked for after so many refusals. Others may have sent it already: if one was refused since,
// it may have been this one, and the core knows what comes next.
func (s *slot) keep(warm *warmToken, refusals uint64) {
	s.keeping.Lock()
	defer s.keeping.Unlock()
	if s.refusals == refusals {
		s.warm.Store(warm)
	}
}

// isReplaced reports whether a token that was refused with this status is to be replaced, and makes room for the next.
func (s *slot) isReplaced(warm *warmToken, status int) bool {
	retry, err := s.source.native.RetryAfterRefusal(s.kind, s.target, warm.header, status, s.source.driver.Now())
	return s.isForgotten(warm, retry, err)
}

func (s *slot) invalidate(warm *warmToken) bool {
	changed, err := s.source.native.Invalidate(s.kind, s.target, warm.header, s.source.driver.Now())
	return s.isForgotten(warm, changed, err)
}

func (s *slot) isForgotten(warm *warmToken, isOld bool, err error) bool {
	if err != nil || !isOld {
		return false
	}
	s.keeping.Lock()
	defer s.keeping.Unlock()
	s.refusals++
	// Each of those who have waited for a token has it in a variable of its own.
	if held := s.warm.Load(); held != nil && held.header == warm.header {
		s.warm.Store(nil)
	}
	return true
}

// probe asks the core for the token and forgets the answer: it says at once whether it can be asked for at all.
func (s *slot) probe() error {
	found, err := s.source.native.Lookup(s.kind, s.target, s.source.driver.Now())
	if err != nil {
		return asError(err)
	}
	if found.Op != nil {
		s.source.driver.GiveUp(found.Turn)
	}
	return nil
}

// token is what an operation for a token ends with.
type token struct {
	Header                string `json:"header"`
	ExpiresAtMS           uint64 `json:"expires_at_ms"`
	FreshUntilMS          uint64 `json:"fresh_until_ms"`
	FreshUntilMonotonicMS uint64 `json:"fresh_until_monotonic_ms"`
}

func (t *token) warm() *warmToken {
	kind, value, _ := strings.Cut(t.Header, " ")
	return &warmToken{
		token: &oauth2.Token{
			AccessToken: value,
			TokenType:   kind,
			Expiry:      time.UnixMilli(int64(t.ExpiresAtMS)),
		},
		header:     t.Header,
		freshUntil: driver.Deadline{Moment: native.Now{Unix: t.FreshUntilMS, Monotonic: t.FreshUntilMonotonicMS}},
	}
}
