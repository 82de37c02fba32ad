package dev.gatepass.grpc;

import dev.gatepass.CallPlan;
import dev.gatepass.CallPlanner;
import dev.gatepass.Token;
import dev.gatepass.TokenHeader;
import dev.gatepass.TokenSource;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * Call credentials that attach an ID token to each call, always a fresh one. One stub gets them by
 * {@code withCallCredentials}, a channel by
 * {@code CompositeChannelCredentials.create(TlsChannelCredentials.create(), IdTokenCallCredentials.create())}. Channels
 * to several services may share them.
 *
 * <p>A stream keeps the token that it was opened with. A call that can have no token ends with UNAVAILABLE where
 * repeating it may help, else with UNAUTHENTICATED; its status says why, and has the
 * {@link dev.gatepass.GatepassException} as its cause.
 */
public final class IdTokenCallCredentials extends TokenCallCredentials {
    private IdTokenCallCredentials(Builder builder) {
        super(builder);
    }

    /**
     * Credentials with Application Default Credentials behind them, and with the audience that is derived from the
     * service's host.
     *
     * @return credentials that fetch a token for the first call
     */
    public static IdTokenCallCredentials create() {
        return builder().build();
    }

    /**
     * Begins credentials with options.
     *
     * @return a builder; without any option the credentials are those of {@link #create()}
     */
    public static Builder builder() {
        return new Builder();
    }

    @Override
    CompletableFuture<Token> token(TokenSource source, CallPlan plan) {
        return source.fetchIdTokenInfoAsync(plan.audience());
    }

    @Override
    Map<String, String> headers(TokenSource source) {
        return Map.of();
    }

    /** The options of {@link IdTokenCallCredentials}. */
    public static final class Builder extends TokenCallCredentials.Builder<Builder> {
        private Builder() {
            super(CallPlanner.idTokens());
        }

        @Override
        Builder self() {
            return this;
        }

        /**
         * Asks for tokens for this audience, whatever service is called.
         *
         * @param audience the receiver: {@code https://} and its host, a custom audience, or the OAuth client id of IAP
         * @return this builder
         */
        public Builder audience(String audience) {
            planner.audience(audience);
            return this;
        }

        /**
         * Puts the token into this header.
         *
         * @param header {@link TokenHeader#AUTHORIZATION}, if none is given
         * @return this builder
         */
        public Builder tokenHeader(TokenHeader header) {
            planner.tokenHeader(header);
            return this;
        }

        /**
         * Makes the credentials.
         *
         * @return credentials that fetch a token for the first call
         */
        public IdTokenCallCredentials build() {
            return new IdTokenCallCredentials(this);
        }
    }
}
