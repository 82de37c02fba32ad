package driver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// supply asks the user's own supplier. The reply says only of what type its error is, since its text may hold anything.
func (d *Driver) supply(ctx context.Context, step *step) outcome {
	supplier, found := d.host.Suppliers[step.Supplier]
	if !found {
		names := cmp.Or(strings.Join(slices.Sorted(maps.Keys(d.host.Suppliers)), ", "), "none")
		missing := errors.New("no supplier of this name is registered; registered are: " + names)
		return outcome{reply: failed(missing, "not_found")}
	}
	token, err := supplier(ctx, step.Audience, step.TokenType)
	if err != nil {
		return outcome{failed(fmt.Errorf("an error of the type %T", err), "other"), err}
	}
	return outcome{reply: reply{"reply": "text", "text": token}}
}
