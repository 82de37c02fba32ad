// Package list gives a list where a token belongs. It does not compile.
package list

import (
	"context"

	"gatepass.dev/gatepass"
)

func mistake(tokens []string) (*gatepass.Payload, error) {
	return gatepass.Validate(context.Background(), tokens, "https://orders.example")
}
