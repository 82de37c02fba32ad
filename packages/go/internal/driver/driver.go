package gatepass

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"gatepass.dev/gatepass/internal/native"
)

// bodyLimit is the most octets of a body or a file that the core takes; see core/src/step.rs.
const bodyLimit = 1 << 20

// turnLimit is how often a caller asks again because those it waited for went away. It is out of reach.
const turnLimit = 10_000

// How endpoints are reached: as any server, or past every proxy.
var (
	proxied = &http.Transport{Proxy: http.ProxyFromEnvironment, IdleConnTimeout: time.Minute}
	direct  = &http.Transport{IdleConnTimeout: time.Minute}
)

// A driver carries out what the operations of one source or verifier ask for, and lets callers who need the same
// operation wait for it.
type driver struct {
	clock     clock
	transport http.RoundTripper
	suppliers map[string]Supplier

	mu sync.Mutex
	// landings are the flights that somebody waits for; closed when the flight has ended.
	landings map[uint64]chan struct{}
}

// token is what an operation for a token ends with.
type token struct {
	Header       string `json:"header"`
	ExpiresAtMS  uint64 `json:"expires_at_ms"`
	FreshUntilMS uint64 `json:"fresh_until_ms"`
	// Audiences are what the operation for the service's own audiences ends with, in a token's place.
	Audiences []string `json:"audiences"`
}

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
	ClientCertificate *clientCertificate `json:"client_certificate"`
	CACertificatePath string             `json:"ca_certificate_path"`
	Argv              []string           `json:"argv"`
	Env               [][2]string        `json:"env"`
	Supplier          string             `json:"supplier"`
	Audience          string             `json:"audience"`
	TokenType         string             `json:"token_type"`
	DelayMS           int64              `json:"delay_ms"`
	Output            *token             `json:"output"`
	Error             json.RawMessage    `json:"error"`
}

func (s *step) timeout() time.Duration { return time.Duration(s.TimeoutMS) * time.Millisecond }

// A reply is the answer to a step.
type reply map[string]any

// settle asks, and while the answer needs an operation drives it, or waits for whoever drives it. The token is nil
// unless an operation brought it.
func (d *driver) settle(ctx context.Context, ask func() (native.Turn, error)) (*token, error) {
	for range turnLimit {
		turn, err := ask()
		if err == nil && turn.Answer == native.Join {
			turn, err = d.join(ctx, ask)
		}
		switch {
		case err != nil:
			return nil, asError(err)
		case turn.Answer == native.Fetch:
			return d.drive(ctx, turn)
		case turn.Answer == native.NeedsKeys:
			if _, err := d.drive(ctx, turn); err != nil {
				return nil, err
			}
		case turn.Answer != native.Join:
			if turn.Op != nil {
				go d.drive(context.WithoutCancel(ctx), turn) // The core remembers how it went.
			}
			return nil, nil
		}
	}
	return nil, fault(errors.New("the core has no end of answers"))
}

// join asks again and, if it is still somebody else's turn, waits for that flight to land. The lock makes asking and
// signing up one: a flight that was under way when asked for lands afterwards, and finds who has signed up.
func (d *driver) join(ctx context.Context, ask func() (native.Turn, error)) (native.Turn, error) {
	d.mu.Lock()
	turn, err := ask()
	if err != nil || turn.Answer != native.Join {
		d.mu.Unlock()
		return turn, err
	}
	landing, found := d.landings[turn.Flight]
	if !found {
		landing = make(chan struct{})
		d.landings[turn.Flight] = landing
	}
	d.mu.Unlock()
	select {
	case <-landing:
		return turn, nil
	case <-ctx.Done():
		return turn, ctx.Err()
	}
}

// drive carries an operation out to its end. However it ends, its flight is over and all who wait look again.
func (d *driver) drive(ctx context.Context, turn native.Turn) (*token, error) {
	defer d.land(turn)
	answer := reply{"reply": "start"}
	var cause error // The error of the user's own code, if the last step met one.
	for {
		text, err := json.Marshal(answer)
		if err != nil {
			return nil, fault(err)
		}
		next, err := turn.Op.Resume(d.now(), string(text))
		if err != nil {
			return nil, asError(err)
		}
		var step step
		if err := json.Unmarshal([]byte(next), &step); err != nil {
			return nil, fault(err)
		}
		switch step.Step {
		case "done":
			return step.Output, nil
		case "fail":
			return nil, newError(step.Error, cause)
		}
		answer, cause = d.perform(ctx, &step)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
}

func (d *driver) land(turn native.Turn) {
	turn.Op.Free()
	d.mu.Lock()
	landing, found := d.landings[turn.Flight]
	delete(d.landings, turn.Flight)
	d.mu.Unlock()
	if found {
		close(landing)
	}
}

func (d *driver) now() uint64 { return uint64(max(0, d.clock.unixMilli())) }

// perform carries a step out. The error is one that the user's own code has returned.
func (d *driver) perform(ctx context.Context, step *step) (reply, error) {
	switch step.Step {
	case "read_env":
		return readEnv(step.Names), nil
	case "read_file":
		return readFile(step.Path), nil
	case "send":
		return d.send(ctx, step), nil
	case "run":
		return run(ctx, step), nil
	case "supply":
		return d.supply(ctx, step)
	case "wait":
		return d.wait(ctx, step), nil
	}
	return failed(fmt.Errorf("gatepass for Go does not know the step %s", step.Step), "unsupported"), nil
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

func readFile(path string) reply {
	file, err := os.Open(path)
	if err != nil {
		return failed(err, "other")
	}
	defer file.Close()
	text, err := readAll(file)
	if err != nil {
		return failed(err, "other")
	}
	return reply{"reply": "text", "text": text}
}

// send uses the transport itself, so no redirect is followed and no cookie kept.
func (d *driver) send(ctx context.Context, step *step) reply {
	ctx, cancel := context.WithTimeout(ctx, step.timeout())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, step.Method, step.URL, strings.NewReader(step.Body))
	if err != nil {
		return failed(err, "other")
	}
	for _, header := range step.Headers {
		request.Header.Add(header[0], header[1])
	}
	transport := d.transport
	if step.Route == "direct" {
		transport = direct
	}
	if step.ClientCertificate != nil || step.CACertificatePath != "" {
		if transport, err = withCertificates(transport, step); err != nil {
			return failed(err, "other")
		}
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return failed(err, "connect")
	}
	defer response.Body.Close()
	body, err := readAll(response.Body)
	if err != nil {
		return failed(err, "connect")
	}
	headers := [][2]string{}
	for name, values := range response.Header {
		for _, value := range values {
			headers = append(headers, [2]string{name, value})
		}
	}
	return reply{"reply": "response", "status": response.StatusCode, "headers": headers, "body": body}
}

func (d *driver) wait(ctx context.Context, step *step) reply {
	timer := time.NewTimer(time.Duration(step.DelayMS) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return reply{"reply": "elapsed"}
}

var errTooLarge = errors.New("more than 1 MiB")

func readAll(reader io.Reader) (string, error) {
	octets, err := io.ReadAll(io.LimitReader(reader, bodyLimit+1))
	if len(octets) > bodyLimit {
		err = errTooLarge
	}
	return string(octets), err
}

// failed says why a step could not be carried out: otherwise is for all that has no kind of its own.
func failed(err error, otherwise string) reply {
	kind := otherwise
	var network net.Error
	switch {
	case errors.Is(err, errTooLarge):
		kind = "too_large"
	case errors.Is(err, errors.ErrUnsupported):
		kind = "unsupported"
	case errors.Is(err, fs.ErrNotExist):
		kind = "not_found"
	case errors.Is(err, fs.ErrPermission):
		kind = "permission_denied"
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
