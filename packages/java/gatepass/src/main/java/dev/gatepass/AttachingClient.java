package dev.gatepass;

import java.io.IOException;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.ProxySelector;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.PushPromiseHandler;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

/** An {@link HttpClient} that sends through another one, with headers added to each request. */
abstract class AttachingClient extends HttpClient {
    /** The name of the header that carries a token. */
    static final String AUTHORIZATION = "Authorization";

    private final HttpClient http;

    /** Sends through {@code http}; through one that all clients share if that is null. */
    AttachingClient(HttpClient http) {
        this.http = http != null ? http : Shared.HTTP;
    }

    /** The headers that {@code request} is to carry, by name. */
    abstract CompletableFuture<Map<String, String>> headersFor(HttpRequest request);

    @Override
    public <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> responseBodyHandler)
            throws IOException, InterruptedException {
        return http.send(attach(Futures.get(headersFor(request)), request), responseBodyHandler);
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(
            HttpRequest request, BodyHandler<T> responseBodyHandler) {
        return sendAsync(request, responseBodyHandler, null);
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(
            HttpRequest request, BodyHandler<T> responseBodyHandler, PushPromiseHandler<T> pushPromiseHandler) {
        return Futures.chain(headersFor(request),
                headers -> http.sendAsync(attach(headers, request), responseBodyHandler, pushPromiseHandler));
    }

    @Override
    public Optional<CookieHandler> cookieHandler() {
        return http.cookieHandler();
    }

    @Override
    public Optional<Duration> connectTimeout() {
        return http.connectTimeout();
    }

    @Override
    public Redirect followRedirects() {
        return Redirect.NEVER;
    }

    @Override
    public Optional<ProxySelector> proxy() {
        return http.proxy();
    }

    @Override
    public SSLContext sslContext() {
        return http.sslContext();
    }

    @Override
    public SSLParameters sslParameters() {
        return http.sslParameters();
    }

    @Override
    public Optional<Authenticator> authenticator() {
        return http.authenticator();
    }

    @Override
    public Version version() {
        return http.version();
    }

    @Override
    public Optional<Executor> executor() {
        return http.executor();
    }

    /**
     * Nothing that this client holds is shown.
     *
     * @return the name of the class
     */
    @Override
    public String toString() {
        return getClass().getSimpleName();
    }

    /** Refuses a client that would take the token along to wherever it is sent. */
    static HttpClient withoutRedirects(HttpClient http) {
        if (http.followRedirects() != Redirect.NEVER) {
            throw new IllegalArgumentException("the HTTP client follows redirects and would take the token along: "
                    + "give one that is built with Redirect.NEVER");
        }
        return http;
    }

    /** A copy of the request with these headers; what it had under their names makes way. */
    private static HttpRequest attach(Map<String, String> headers, HttpRequest request) {
        TreeSet<String> names = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
        names.addAll(headers.keySet());
        HttpRequest.Builder attached = HttpRequest.newBuilder(request, (name, value) -> !names.contains(name));
        headers.forEach(attached::setHeader);
        return attached.build();
    }

    /** One client for all: each has a thread and connections of its own. */
    private static final class Shared {
        static final HttpClient HTTP = HttpClient.newHttpClient();
    }
}
