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
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

/**
 * An {@link HttpClient} whose requests carry an ID token in {@code Authorization}, always a fresh one.
 *
 * <p>It follows no redirect, as {@link HttpClient} does not unless told to: a token is for one receiver and is sent to
 * no other. Besides what {@link HttpClient} throws, sending throws a {@link GatepassException} when no token can be
 * had.
 */
public final class IdTokenClient extends HttpClient {
    private static final String AUTHORIZATION = "Authorization";

    private final HttpClient http;
    private final TokenSource source;
    private final String audience;

    private IdTokenClient(Builder builder) {
        http = builder.http != null ? builder.http : Shared.HTTP;
        source = builder.source != null ? builder.source : TokenSource.applicationDefault();
        audience = builder.audience;
    }

    /**
     * Begins a client.
     *
     * @return a builder; without any option the audience is told from each request's URL
     */
    public static Builder builder() {
        return new Builder();
    }

    @Override
    public <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> responseBodyHandler)
            throws IOException, InterruptedException {
        return http.send(attach(Futures.get(token(request)), request), responseBodyHandler);
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(
            HttpRequest request, BodyHandler<T> responseBodyHandler) {
        return sendAsync(request, responseBodyHandler, null);
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(
            HttpRequest request, BodyHandler<T> responseBodyHandler, PushPromiseHandler<T> pushPromiseHandler) {
        return Futures.chain(token(request),
                token -> http.sendAsync(attach(token, request), responseBodyHandler, pushPromiseHandler));
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
        return "IdTokenClient";
    }

    private CompletableFuture<Token> token(HttpRequest request) {
        try {
            return source.idToken(audience != null ? audience : Gatepass.audienceForUrl(request.uri()));
        } catch (GatepassException noAudience) {
            return CompletableFuture.failedFuture(noAudience);
        }
    }

    /** A copy of the request with the token; one that it had before makes way. */
    private static HttpRequest attach(Token token, HttpRequest request) {
        return HttpRequest.newBuilder(request, (name, value) -> !name.equalsIgnoreCase(AUTHORIZATION))
                .setHeader(AUTHORIZATION, token.header())
                .build();
    }

    /** One client for all: each has a thread and connections of its own. */
    private static final class Shared {
        static final HttpClient HTTP = HttpClient.newHttpClient();
    }

    /** The options of an {@link IdTokenClient}. */
    public static final class Builder {
        private HttpClient http;
        private TokenSource source;
        private String audience;

        private Builder() {}

        /**
         * Asks for tokens for this audience, whatever a request's URL is.
         *
         * @param audience the receiver: its URL, a custom audience, or the OAuth client id of IAP
         * @return this builder
         */
        public Builder audience(String audience) {
            this.audience = Objects.requireNonNull(audience);
            return this;
        }

        /**
         * Takes the tokens from this source.
         *
         * @param source the process-wide one, if none is given
         * @return this builder
         */
        public Builder source(TokenSource source) {
            this.source = Objects.requireNonNull(source);
            return this;
        }

        /**
         * Sends through this client, with its proxies, certificates and time limits.
         *
         * @param http a client that follows no redirects
         * @return this builder
         * @throws IllegalArgumentException if it does: it would take the token along to wherever it is sent
         */
        public Builder httpClient(HttpClient http) {
            if (http.followRedirects() != Redirect.NEVER) {
                throw new IllegalArgumentException("the HTTP client follows redirects and would take the token along: "
                        + "give one that is built with Redirect.NEVER");
            }
            this.http = http;
            return this;
        }

        /**
         * Makes the client.
         *
         * @return a client that fetches a token when it sends its first request
         */
        public IdTokenClient build() {
            return new IdTokenClient(this);
        }
    }
}
