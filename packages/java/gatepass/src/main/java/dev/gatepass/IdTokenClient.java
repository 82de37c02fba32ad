package dev.gatepass;

import java.net.http.HttpClient;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * An {@link HttpClient} whose requests carry an ID token, always a fresh one. When a receiver refuses a token before its
 * time (a key was rotated, a clock is wrong), it is replaced, and a request that can be repeated is sent once more.
 *
 * <p>It follows no redirect, as {@link HttpClient} does not by default: a token is for one receiver and is sent to
 * no other; and it sends none over plain http, except to a loopback host. Besides what {@link HttpClient} throws, sending
 * throws a {@link GatepassException} when no token can be had.
 */
public final class IdTokenClient extends AttachingClient {
    private IdTokenClient(Builder builder) {
        super(builder);
    }

    /**
     * Begins a client.
     *
     * @return a builder; without any option the audience is derived from each request's URL
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

    /** The options of an {@link IdTokenClient}. */
    public static final class Builder extends AttachingClient.Builder<Builder> {
        private Builder() {
            super(CallPlanner.idTokens());
        }

        @Override
        Builder self() {
            return this;
        }

        /**
         * Asks for tokens for this audience, whatever a request's URL is.
         *
         * @param audience the receiver: its URL, a custom audience, or the OAuth client id of IAP
         * @return this builder
         */
        public Builder audience(String audience) {
            planner.audience(audience);
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
