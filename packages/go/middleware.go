package gatepass

import (
	"context"
	"errors"
	"net/http"
	"slices"
)

// RequireIDToken returns a middleware for net/http that lets a request pass only if verifier accepts its token; see
// [Verifier.ValidateRequest]. What the token says is then found by [ClaimsFromContext]. Any other request is answered
// as [Error.Refuse] says, and noted in the log of [slog.Default].
func RequireIDToken(verifier *Verifier, options ...MiddlewareOption) func(http.Handler) http.Handler {
	guard := &guard{verifier: verifier, onRefusal: logRefusal}
	for _, option := range options {
		option(guard)
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
			guard.serve(w, request, next)
		})
	}
}

// ClaimsFromContext returns what the token of a request says that [RequireIDToken], or an interceptor of the module
// gatepass.dev/gatepass/grpc, has let pass; nothing if it has let it pass without one.
func ClaimsFromContext(ctx context.Context) (*Payload, bool) {
	payload, found := ctx.Value(payloadKey{}).(*Payload)
	return payload, found
}

// ContextWithClaims returns a context in which [ClaimsFromContext] finds payload, for middlewares of other servers than
// net/http's, and for tests of handlers.
func ContextWithClaims(ctx context.Context, payload *Payload) context.Context {
	return context.WithValue(ctx, payloadKey{}, payload)
}

// MiddlewareOption configures [RequireIDToken].
type MiddlewareOption func(*guard)

// WithOptionalToken lets requests without a token pass too, without claims. One with a bad token never passes.
func WithOptionalToken() MiddlewareOption { return func(g *guard) { g.isOptional = true } }

// WithOpenPaths lets requests for these paths pass without a look at their token, such as those of a health check. Each is
// the whole path, as it is in the request's URL.
func WithOpenPaths(paths ...string) MiddlewareOption {
	return func(g *guard) { g.openPaths = append(g.openPaths, paths...) }
}

// WithAllowCORSPreflight lets a browser's question what it may send pass, in which there never is a token (Fetch standard,
// CORS-preflight request). It is for services that answer it behind the middleware.
func WithAllowCORSPreflight() MiddlewareOption { return func(g *guard) { g.allowsPreflight = true } }

// WithOnRefusal calls this function for every refusal instead of noting it in the log. The request is refused all the
// same.
func WithOnRefusal(onRefusal func(*http.Request, *Error)) MiddlewareOption {
	return func(g *guard) { g.onRefusal = onRefusal }
}

// A guard decides which requests pass.
type guard struct {
	verifier        *Verifier
	isOptional      bool
	openPaths       []string
	allowsPreflight bool
	onRefusal       func(*http.Request, *Error)
}

type payloadKey struct{}

func (g *guard) serve(w http.ResponseWriter, request *http.Request, next http.Handler) {
	// Written in another way than its own, a path may lead a router elsewhere: /a%2Fb is not /a/b to all.
	isOpen := request.URL.RawPath == "" && slices.Contains(g.openPaths, request.URL.Path)
	if isOpen || g.allowsPreflight && isPreflight(request) {
		next.ServeHTTP(w, request)
		return
	}
	payload, err := g.verifier.ValidateRequest(request)
	var refused *Error
	switch {
	case err == nil:
		next.ServeHTTP(w, request.WithContext(ContextWithClaims(request.Context(), payload)))
	case g.isOptional && errors.Is(err, ErrTokenMissing):
		next.ServeHTTP(w, request)
	case errors.As(err, &refused):
		if g.onRefusal != nil {
			g.onRefusal(request, refused)
		}
		refused.Refuse(w)
	default:
		// The request's context ended before there was a verdict: it is too late, not wrong.
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

func isPreflight(request *http.Request) bool {
	return request.Method == http.MethodOptions && request.Header.Get("Origin") != "" &&
		request.Header.Get("Access-Control-Request-Method") != ""
}

func logRefusal(request *http.Request, refused *Error) {
	refused.LogRefusal(request.Context(), request.URL.EscapedPath())
}
