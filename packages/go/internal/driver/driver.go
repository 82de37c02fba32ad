// Package driver carries out what the core's operations ask for, and lets callers who need the same operation wait for
// it. It decides nothing.
package driver

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"gatepass.dev/gatepass/internal/native"
)

// bounds are the core's: how many bytes of a body, a file or a program's output it takes, how many of a program's
// standard error, and how often a caller asks again after what it has waited for, which is out of reach.
var bounds = sync.OnceValue(func() (bounds coreBounds) {
	if err := json.Unmarshal([]byte(native.Limits()), &bounds); err != nil {
		panic(err)
	}
	return bounds
})

type coreBounds struct {
	BodyBytes   int `json:"body_bytes"`
	StderrBytes int `json:"stderr_bytes"`
	Looks       int `json:"looks"`
}

// A Host is what may be put in the place of the system's. All of it may be left out.
type Host struct {
	Clock func() time.Time
	// Monotonic is for tests of gatepass itself.
	Monotonic func() time.Duration
	Transport http.RoundTripper
	Suppliers map[string]Supplier
}

// A Supplier is the user's own source of subject tokens.
type Supplier func(ctx context.Context, audience, tokenType string) (string, error)

// A Driver drives operations to their end.
type Driver struct {
	host    Host
	flights *Flights
}

// A Failure is the error with which the core has ended an operation, as JSON.
type Failure struct {
	JSON []byte
	// Cause is the error of the user's own code, if the last step has met one.
	Cause error
}

func (f *Failure) Error() string { return string(f.JSON) }

// New makes a driver. Those whose operations come from the same handle share its flights.
func New(host Host, flights *Flights) *Driver { return &Driver{host, flights} }

// A step is what an operation wants done; see bindings/bridge/src/op.rs.
type step struct {
	Step              string             `json:"step"`
	Names             []string           `json:"names"`
	Path              string             `json:"path"`
	Method            string             `json:"method"`
	URL               string             `json:"url"`
	Headers           [][2]string        `json:"headers"`
	Body              string             `json:"body"`
	TimeoutMS         int64              `json:"timeout_ms"`
	Route             string             `json:"route"`
	Proxy             *proxy             `json:"proxy"`
	ClientCertificate *clientCertificate `json:"client_certificate"`
	CACertificatePath string             `json:"ca_certificate_path"`
	Argv              []string           `json:"argv"`
	Env               [][2]string        `json:"env"`
	Supplier          string             `json:"supplier"`
	Audience          string             `json:"audience"`
	TokenType         string             `json:"token_type"`
	DelayMS           int64              `json:"delay_ms"`
	Output            json.RawMessage    `json:"output"`
	Error             json.RawMessage    `json:"error"`
}

// A reply is the answer to a step.
type reply map[string]any

// An outcome is a reply, and the error that the user's own code has contributed to it.
type outcome struct {
	reply reply
	cause error
}

// Drive carries an operation out to its end and returns its output. A context that ends, ends it.
func (d *Driver) Drive(ctx context.Context, op *native.Op) (output json.RawMessage, err error) {
	ctx = Known(ctx)
	last := outcome{reply: reply{"reply": "start"}}
	for {
		text, err := json.Marshal(last.reply)
		if err != nil {
			return nil, err
		}
		next, err := op.Resume(d.Now(), string(text))
		if err != nil {
			return nil, err
		}
		var step step
		if err := json.Unmarshal([]byte(next), &step); err != nil {
			return nil, err
		}
		switch step.Step {
		case "done":
			return step.Output, nil
		case "fail":
			return nil, &Failure{step.Error, last.cause}
		}
		last = d.perform(ctx, &step)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
}

// perform carries a step out within its limit. The limit ends what heeds its context; what does not, such as a
// supplier, is not waited for.
func (d *Driver) perform(ctx context.Context, step *step) outcome {
	switch step.Step {
	case "read_env":
		return outcome{reply: readEnv(step.Names)}
	case "wait":
		return outcome{reply: d.wait(ctx, step)}
	}
	if step.TimeoutMS > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(step.TimeoutMS)*time.Millisecond)
		defer cancel()
	}
	done := make(chan outcome, 1)
	go func() {
		ended := outcome{reply: failed(errors.New("its goroutine has ended"), "other")}
		defer func() {
			if value := recover(); value != nil {
				ended = panicked(value)
			}
			done <- ended
		}()
		ended = d.carryOut(ctx, step)
	}()
	select {
	case ended := <-done:
		if ctx.Err() == nil || ended.reply["reply"] != "failed" {
			return ended
		}
		return outcome{failed(ctx.Err(), "other"), ended.cause}
	case <-ctx.Done():
		return outcome{reply: failed(ctx.Err(), "other")}
	}
}

func (d *Driver) carryOut(ctx context.Context, step *step) outcome {
	switch step.Step {
	case "read_file":
		return outcome{reply: readFile(ctx, step.Path)}
	case "send":
		return outcome{reply: d.send(ctx, step)}
	case "run":
		return outcome{reply: run(ctx, step)}
	case "supply":
		return d.supply(ctx, step)
	}
	unknown := fmt.Errorf("gatepass for Go does not know the step %s", step.Step)
	return outcome{reply: failed(unknown, "unsupported")}
}

// panicked is for what the user's own code has thrown: a supplier or a transport. It runs in a goroutine of the
// package's own, where nobody else would catch it.
func panicked(value any) outcome {
	return outcome{
		reply: failed(fmt.Errorf("a panic with a value of the type %T", value), "other"),
		cause: fmt.Errorf("panic: %v\n\n%s", value, debug.Stack()),
	}
}

func readEnv(names []string) reply {
	values := map[string]string{}
	for _, name := range names {
		if value, found := os.LookupEnv(name); found {
			values[name] = value
		}
	}
	return reply{"reply": "env", "values": values}
}

func (d *Driver) wait(ctx context.Context, step *step) reply {
	end := d.host.monotonic() + time.Duration(step.DelayMS)*time.Millisecond
	timer := time.NewTimer(end - d.host.monotonic())
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return reply{"reply": "elapsed"}
}

// failed says why a step could not be carried out: otherwise is for all that has no kind of its own.
func failed(err error, otherwise string) reply {
	kind := otherwise
	var network net.Error
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.Is(err, errTooLarge):
		kind = "too_large"
	case errors.Is(err, errors.ErrUnsupported):
		kind = "unsupported"
	case errors.Is(err, fs.ErrNotExist):
		kind = "not_found"
	case errors.Is(err, fs.ErrPermission):
		kind = "permission_denied"
	case errors.As(err, &untrusted):
		kind = "untrusted_certificate"
	case errors.As(err, &network) && network.Timeout():
		kind = "timeout"
	}
	// The text of a url.Error would show the URL with its query.
	var within *url.Error
	if errors.As(err, &within) {
		err = within.Err
	}
	return reply{"reply": "failed", "kind": kind, "message": err.Error()}
}
