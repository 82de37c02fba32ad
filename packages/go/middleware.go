package gatepass

import (
	"context"
	"errors"
	"net/http"
)

// RequireIDToken returns a middleware for net/http that lets a request pass only if verifier accepts its token; see
// [Verifier.ValidateRequest]. What the token says is then found by [ClaimsFromContext]. Any other request is answered
// as [Error.Refuse] says.
func RequireIDToken(verifier *Verifier) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
			payload, err := verifier.ValidateRequest(request)
			if err != nil {
				refuse(w, err)
				return
			}
			ctx := context.WithValue(request.Context(), payloadKey{}, payload)
			next.ServeHTTP(w, request.WithContext(ctx))
		})
	}
}

// ClaimsFromContext returns what the token of a request says that [RequireIDToken] has let pass.
func ClaimsFromContext(ctx context.Context) (*Payload, bool) {
	payload, found := ctx.Value(payloadKey{}).(*Payload)
	return payload, found
}

type payloadKey struct{}

func refuse(w http.ResponseWriter, err error) {
	var refused *Error
	if !errors.As(err, &refused) {
		// The request's context ended before there was a verdict: it is too late, not wrong.
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	refused.Refuse(w)
}
