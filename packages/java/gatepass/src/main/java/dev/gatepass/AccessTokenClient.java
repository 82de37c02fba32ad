package dev.gatepass;

import java.net.http.HttpClient;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

/**
 * An {@link HttpClient} whose requests carry an access token, always a fresh one, and the
 * {@linkplain TokenSource#accessTokenHeaders() headers} that go with it, for Google's APIs. When an API refuses a token
 * before its time, it is replaced, and a request that can be repeated is sent once more.
 *
 * <p>It follows no redirect, as {@link HttpClient} does not by default: whoever gets the token may use it at every
 * API that its scopes open; and it sends none over plain http, except to a loopback host. Besides what {@link HttpClient}
 * throws, sending throws a {@link GatepassException} when no token can be had.
 */
public final class AccessTokenClient extends AttachingClient {
    private final String[] scopes;

    private AccessTokenClient(Builder builder) {
        super(builder);
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
    CompletableFuture<Token> token(TokenSource source, CallPlan plan) {
        return source.fetchAccessTokenInfoAsync(scopes);
    }

    @Override
    Map<String, String> headers(TokenSource source) {
        return source.accessTokenHeaders();
    }

    /** The options of an {@link AccessTokenClient}. */
    public static final class Builder extends AttachingClient.Builder<Builder> {
        private List<String> scopes = List.of();

        private Builder() {
            super(CallPlanner.accessTokens());
        }

        @Override
        Builder self() {
            return this;
        }

        /**
         * Asks for tokens with these scopes.
         *
         * @param scopes OAuth 2.0 scopes; their order does not matter
         * @return this builder
         */
        public Builder scopes(String... scopes) {
            this.scopes = List.of(Objects.requireNonNull(scopes, "scopes"));
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
