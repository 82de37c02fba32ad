package dev.gatepass;

import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

/**
 * An {@link HttpClient} whose requests carry an access token in {@code Authorization}, always a fresh one, and the
 * {@linkplain TokenSource#accessTokenHeaders() headers} that go with it, for Google's APIs.
 *
 * <p>It follows no redirect, as {@link HttpClient} does not unless told to: whoever gets the token may use it at every
 * API that its scopes open. Besides what {@link HttpClient} throws, sending throws a {@link GatepassException} when no
 * token can be had.
 */
public final class AccessTokenClient extends AttachingClient {
    private final TokenSource source;
    private final String[] scopes;

    private AccessTokenClient(Builder builder) {
        super(builder.http);
        source = builder.source != null ? builder.source : TokenSource.applicationDefault();
        scopes = builder.scopes.toArray(String[]::new);
    }

    /**
     * Begins a client.
     *
     * @return a builder; without {@link Builder#scopes} it asks for those that the metadata server gives the account
     */
    public static Builder builder() {
        return new Builder();
    }

    @Override
    CompletableFuture<Map<String, String>> headersFor(HttpRequest request) {
        return Futures.map(source.accessToken(scopes), token -> {
            Map<String, String> headers = new LinkedHashMap<>(source.accessTokenHeaders());
            headers.put(AUTHORIZATION, token.header());
            return headers;
        });
    }

    /** The options of an {@link AccessTokenClient}. */
    public static final class Builder {
        private HttpClient http;
        private TokenSource source;
        private List<String> scopes = List.of();

        private Builder() {}

        /**
         * Asks for tokens with these scopes.
         *
         * @param scopes OAuth 2.0 scopes; their order does not matter
         * @return this builder
         */
        public Builder scopes(String... scopes) {
            this.scopes = List.of(scopes);
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
            this.http = withoutRedirects(http);
            return this;
        }

        /**
         * Makes the client.
         *
         * @return a client that fetches a token when it sends its first request
         */
        public AccessTokenClient build() {
            return new AccessTokenClient(this);
        }
    }
}
