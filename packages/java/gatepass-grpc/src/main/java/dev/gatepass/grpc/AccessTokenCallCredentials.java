package dev.gatepass.grpc;

import dev.gatepass.CallPlan;
import dev.gatepass.CallPlanner;
import dev.gatepass.Token;
import dev.gatepass.TokenSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

/**
 * As {@link IdTokenCallCredentials}, with access tokens and the {@linkplain TokenSource#accessTokenHeaders() headers}
 * that go with them: for Google's APIs.
 */
public final class AccessTokenCallCredentials extends TokenCallCredentials {
    private final String[] scopes;

    private AccessTokenCallCredentials(Builder builder) {
        super(builder);
        scopes = builder.scopes.toArray(String[]::new);
    }

    /**
     * Credentials with Application Default Credentials behind them.
     *
     * @param scopes OAuth 2.0 scopes; none for those that the metadata server gives the account
     * @return credentials that fetch a token for the first call
     */
    public static AccessTokenCallCredentials create(String... scopes) {
        return builder().scopes(scopes).build();
    }

    /**
     * Begins credentials with options.
     *
     * @return a builder; without {@link Builder#scopes} they ask for those that the metadata server gives the account
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

    /** The options of {@link AccessTokenCallCredentials}. */
    public static final class Builder extends TokenCallCredentials.Builder<Builder> {
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
         * Makes the credentials.
         *
         * @return credentials that fetch a token for the first call
         */
        public AccessTokenCallCredentials build() {
            return new AccessTokenCallCredentials(this);
        }
    }
}
