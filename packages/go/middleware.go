package gatepass

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"gatepass.dev/gatepass/internal/native"
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

// ClaimsFromContext returns what the token of a request says that [RequireIDToken] has let pass; nothing if it has let it
// pass without one.
func ClaimsFromContext(ctx context.Context) (*Payload, bool) {
	payload, found := ctx.Value(payloadKey{}).(*Payload)
	return payload, found
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
	if slices.Contains(g.openPaths, request.URL.Path) || g.allowsPreflight && isPreflight(request) {
		next.ServeHTTP(w, request)
		return
	}
	payload, err := g.verifier.ValidateRequest(request)
	var refused *Error
	switch {
	case err == nil:
		ctx := context.WithValue(request.Context(), payloadKey{}, payload)
		next.ServeHTTP(w, request.WithContext(ctx))
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

// logRefusal notes a refusal in the core's words.
func logRefusal(request *http.Request, refused *Error) {
	text, err := json.Marshal(struct {
		Code         Code   `json:"code"`
		Message      string `json:"message"`
		ClaimedEmail string `json:"claimed_email,omitempty"`
	}{refused.Code, refused.Message, refused.claimedEmail})
	if err != nil {
		return // It is all texts.
	}
	var line struct{ Level, Message string }
	noted, err := native.RefusalLog(string(text), strings.ToValidUTF8(request.URL.EscapedPath(), "\uFFFD"))
	if err != nil || json.Unmarshal([]byte(noted), &line) != nil {
		line.Message = refused.Error()
	}
	level := slog.LevelWarn
	if line.Level == "error" {
		level = slog.LevelError
	}
	slog.Log(request.Context(), level, "gatepass: "+line.Message)
}
