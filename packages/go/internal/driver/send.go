package driver

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// transport reaches endpoints through the proxy that the step names, and through no other.
var transport = &http.Transport{
	Proxy: func(request *http.Request) (*url.URL, error) {
		named, _ := request.Context().Value(proxyKey{}).(*proxy)
		if named == nil {
			return nil, nil
		}
		return url.Parse(named.URL)
	},
	// The transport's own error has the words of the status alone, and does not say whose it is.
	OnProxyConnectResponse: func(_ context.Context, proxy *url.URL, request *http.Request, response *http.Response) error {
		if response.StatusCode == http.StatusOK {
			return nil
		}
		return fmt.Errorf("the proxy %s answered %d to CONNECT %s", proxy.Host, response.StatusCode, request.URL.Opaque)
	},
	IdleConnTimeout: time.Minute,
}

// A proxy is that of a step.
type proxy struct {
	URL string `json:"url"`
}

type proxyKey struct{}

// send uses the transport itself, so no redirect is followed and no cookie kept.
func (d *Driver) send(ctx context.Context, step *step) reply {
	request, err := http.NewRequestWithContext(context.WithValue(ctx, proxyKey{}, step.Proxy), step.Method, step.URL, strings.NewReader(step.Body))
	if err != nil {
		return failed(err, "other")
	}
	for _, header := range step.Headers {
		request.Header.Add(header[0], header[1])
	}
	var carrier http.RoundTripper = transport
	if d.host.Transport != nil && step.Route != "direct" {
		carrier = d.host.Transport // It is the user's, and so are its proxies.
	}
	if step.ClientCertificate != nil || step.CACertificatePath != "" {
		if carrier, err = withCertificates(carrier, step); err != nil {
			return failed(err, "other")
		}
	}
	response, err := carrier.RoundTrip(request)
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
