package driver

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// How endpoints are reached: as any server, or past every proxy.
var (
	proxied = &http.Transport{Proxy: http.ProxyFromEnvironment, IdleConnTimeout: time.Minute}
	direct  = &http.Transport{IdleConnTimeout: time.Minute}
)

// send uses the transport itself, so no redirect is followed and no cookie kept.
func (d *Driver) send(ctx context.Context, step *step) reply {
	request, err := http.NewRequestWithContext(ctx, step.Method, step.URL, strings.NewReader(step.Body))
	if err != nil {
		return failed(err, "other")
	}
	for _, header := range step.Headers {
		request.Header.Add(header[0], header[1])
	}
	transport := d.host.Transport
	switch {
	case step.Route == "direct":
		transport = direct
	case transport == nil:
		transport = proxied
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
	// The context reaches no body of a connection that has changed its protocol, and perhaps none of the user's transport.
	defer context.AfterFunc(ctx, func() { response.Body.Close() })()
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
