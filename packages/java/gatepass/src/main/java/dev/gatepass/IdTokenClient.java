package dev.gatepass;

import dev.gatepass.json.Utf8;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

/**
 * An {@link HttpClient} whose requests carry an ID token in {@code Authorization}, always a fresh one.
 *
 * <p>It follows no redirect, as {@link HttpClient} does not unless told to: a token is for one receiver and is sent to
 * no other. Besides what {@link HttpClient} throws, sending throws a {@link GatepassException} when no token can be
 * had.
 */
public final class IdTokenClient extends AttachingClient {
    private final TokenSource source;
    private final String audience;

    private IdTokenClient(Builder builder) {
        super(builder.http);
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
    CompletableFuture<Map<String, String>> headersFor(HttpRequest request) {
        try {
            String wanted = audience != null ? audience : Utf8.text(Native.audienceForUrl(Utf8.bytes(request.uri().toString())));
            return Futures.map(source.idToken(wanted), token -> Map.of(AUTHORIZATION, token.header()));
        } catch (GatepassException noAudience) {
            return CompletableFuture.failedFuture(noAudience);
        }
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
            this.http = withoutRedirects(http);
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
