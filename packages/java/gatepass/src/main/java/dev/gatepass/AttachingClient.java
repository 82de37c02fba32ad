package dev.gatepass;

import java.io.IOException;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.ProxySelector;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.net.http.HttpResponse.PushPromiseHandler;
import java.net.http.HttpResponse.ResponseInfo;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

/** An {@link HttpClient} that sends through another one, with headers added to each request. */
abstract class AttachingClient extends HttpClient {
    private final HttpClient http;
    private final TokenSource source;
    private final CallPlanner planner;

    AttachingClient(Builder<?> builder) {
        http = builder.http != null ? builder.http : SharedHttpClient.get();
        source = builder.source != null ? builder.source : TokenSource.applicationDefault();
        planner = builder.planner.build();
    }

    /** The token that {@code plan} carries, from {@code source}. */
    abstract CompletableFuture<Token> token(TokenSource source, CallPlan plan);

    /** The headers that go with the token. */
    abstract Map<String, String> headers(TokenSource source);

    @Override
    public <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> responseBodyHandler)
            throws IOException, InterruptedException {
        CallPlan plan = planner.plan(request.uri());
        Attempt<T> first = new Attempt<>(Futures.get(token(source, plan)), request, responseBodyHandler);
        HttpResponse<T> response = http.send(first.attach(plan), first);
        if (!first.isRepeated) {
            return response;
        }
        Attempt<T> second = new Attempt<>(Futures.get(token(source, plan)), request, responseBodyHandler);
        return http.send(second.attach(plan), responseBodyHandler);
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(
            HttpRequest request, BodyHandler<T> responseBodyHandler) {
        return sendAsync(request, responseBodyHandler, null);
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(
            HttpRequest request, BodyHandler<T> responseBodyHandler, PushPromiseHandler<T> pushPromiseHandler) {
        CallPlan plan;
        try {
            plan = planner.plan(request.uri());
        } catch (GatepassException refused) {
            return CompletableFuture.failedFuture(refused);
        }
        return Futures.chain(token(source, plan), token -> {
            Attempt<T> first = new Attempt<>(token, request, responseBodyHandler);
            return Futures.chain(http.sendAsync(first.attach(plan), first, pushPromiseHandler), response ->
                    !first.isRepeated ? CompletableFuture.completedFuture(response)
                            : Futures.chain(token(source, plan), another -> http.sendAsync(
                                    new Attempt<>(another, request, responseBodyHandler).attach(plan),
                                    responseBodyHandler, pushPromiseHandler)));
        });
    }

    /** A request with a token. Its response is read by the caller's handler, unless the core says that it is repeated. */
    private final class Attempt<T> implements BodyHandler<T> {
        private final Token token;
        private final HttpRequest request;
        private final BodyHandler<T> handler;
        private volatile boolean isRepeated;

        Attempt(Token token, HttpRequest request, BodyHandler<T> handler) {
            this.token = token;
            this.request = request;
            this.handler = handler;
        }

        /** A copy of the request with the token; what it had under these headers makes way. */
        HttpRequest attach(CallPlan plan) {
            Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            headers.putAll(headers(source));
            plan.headers().forEach(name -> headers.put(name, token.header()));
            HttpRequest.Builder attached =
                    HttpRequest.newBuilder(request, (name, value) -> !headers.containsKey(name));
            headers.forEach(attached::setHeader);
            return attached.build();
        }

        @Override
        public BodySubscriber<T> apply(ResponseInfo response) {
            isRepeated = canBeRepeated() && source.retryAfterRefusal(token, response.statusCode());
            return isRepeated ? BodySubscribers.replacing(null) : handler.apply(response);
        }

        /** What has a length is read anew for each request; a stream, which has none, is not. */
        private boolean canBeRepeated() {
            return request.bodyPublisher().map(body -> body.contentLength() >= 0).orElse(true);
        }
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

    /**
     * The options that clients share.
     *
     * @param <B> the builder itself
     */
    abstract static class Builder<B extends Builder<B>> {
        final CallPlanner.Builder planner;
        private HttpClient http;
        private TokenSource source;

        Builder(CallPlanner.Builder planner) {
            this.planner = planner;
        }

        abstract B self();

        /**
         * Takes the tokens from this source.
         *
         * @param source the process-wide one, if none is given
         * @return this builder
         */
        public B source(TokenSource source) {
            this.source = Objects.requireNonNull(source, "source");
            return self();
        }

        /**
         * Sends through this client, with its proxies, certificates and time limits.
         *
         * @param http a client that follows no redirects
         * @return this builder
         * @throws IllegalArgumentException if it does: it would take the token along to wherever it is sent
         */
        public B httpClient(HttpClient http) {
            if (http.followRedirects() != Redirect.NEVER) {
                throw new IllegalArgumentException("the HTTP client follows redirects and would take the token along: "
                        + "give one that is built with Redirect.NEVER");
            }
            this.http = http;
            return self();
        }

        /**
         * Puts the token into this header.
         *
         * @param header {@link TokenHeader#AUTHORIZATION}, if none is given
         * @return this builder
         */
        public B tokenHeader(TokenHeader header) {
            planner.tokenHeader(header);
            return self();
        }

        /**
         * Sends tokens over plain http too, where anybody on the way can take them. To a loopback host they are sent
         * without this.
         *
         * @return this builder
         */
        public B allowPlainHttp() {
            planner.allowPlainHttp();
            return self();
        }
    }
}
