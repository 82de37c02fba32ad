package dev.gatepass;

import java.lang.ref.Reference;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;

/**
 * Checks received tokens. Keys are fetched when they are first needed, once however many threads wait for them, and
 * again before they end; a token that was found good is remembered.
 *
 * <p>Make one and keep it. It holds no thread and no connection, and there is nothing to close.
 */
public final class Verifier {
    /** The most process-wide verifiers of a kind. A service has one audience, or a few. */
    private static final int SHARED_LIMIT = 1_000;

    private static final Map<String, Verifier> GOOGLE = new ConcurrentHashMap<>();
    private static final Map<String, Verifier> IAP = new ConcurrentHashMap<>();

    private final long handle;
    private final Clock clock;
    private final Flights flights;

    private Verifier(Builder builder) {
        clock = builder.clock;
        flights = new Flights(new Driver(clock, System::getenv, new Suppliers(Map.of())));
        handle = Native.newVerifier(Json.write(builder.options));
        Native.freeWhenUnreachable(this, handle, Native::freeVerifier);
    }

    /**
     * The process-wide verifier of ID tokens that Google has issued: those of Cloud Run callers, Pub/Sub, Cloud Tasks,
     * Cloud Scheduler and Eventarc.
     *
     * @param audience this service's audience, as its callers ask for it
     * @return the same verifier for the same audience
     * @throws GatepassException with {@link ErrorCode#INVALID_OPTION}
     */
    public static Verifier google(String audience) {
        return shared(GOOGLE, audience, builder().google());
    }

    /**
     * The process-wide verifier of the assertions of Identity-Aware Proxy.
     *
     * @param audience such as {@code /projects/NUMBER/global/backendServices/ID}
     * @return the same verifier for the same audience
     * @throws GatepassException with {@link ErrorCode#INVALID_OPTION}
     */
    public static Verifier iap(String audience) {
        return shared(IAP, audience, builder().iap());
    }

    /**
     * Begins a verifier of its own.
     *
     * @return a builder; it needs {@link Builder#google()}, {@link Builder#iap()} or issuers with algorithms and keys,
     *     and an audience
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Says who has sent {@code token}.
     *
     * @param token a JWT
     * @return its claims
     * @throws VerifyException if it is not to be accepted, or cannot be checked now
     */
    public Claims verify(String token) {
        return Futures.await(verdict(Native.octets(token)));
    }

    /**
     * As {@link #verify}, without waiting.
     *
     * @param token a JWT
     * @return its claims to come; cancelling it cancels a fetch of keys and nobody else's verification
     */
    public CompletableFuture<Claims> verifyAsync(String token) {
        return verdict(Native.octets(token));
    }

    /**
     * Says who has sent a request, by the headers that may carry a token: {@code verifyRequest(request::getHeader)}.
     *
     * @param header gives the value of a header, in any case of its name; null if the request does not have it
     * @return the claims of its token
     * @throws VerifyException if it has none, or one that is not to be accepted or cannot be checked now
     */
    public Claims verifyRequest(UnaryOperator<String> header) {
        return Futures.await(verdict(tokenOf(header)));
    }

    /**
     * Nothing that this verifier holds is shown.
     *
     * @return the name of the class
     */
    @Override
    public String toString() {
        return "Verifier";
    }

    private CompletableFuture<Claims> verdict(byte[] token) {
        return flights.settle(() -> check(token), keysHaveCome -> null);
    }

    private Answer<Claims> check(byte[] token) {
        try {
            long[] numbers = Answer.numbers();
            byte[] payload = Native.check(handle, token, clock.millis(), numbers);
            return Answer.read(numbers, expiresAtMs -> new Claims(payload));
        } finally {
            Reference.reachabilityFence(this); // Or the handle might be freed while the call runs.
        }
    }

    private byte[] tokenOf(UnaryOperator<String> header) {
        try {
            return Native.tokenFromHeaders(
                    handle,
                    octetsOrNull(header.apply("Authorization")),
                    octetsOrNull(header.apply("X-Serverless-Authorization")),
                    octetsOrNull(header.apply("X-Goog-IAP-JWT-Assertion")));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private static byte[] octetsOrNull(String text) {
        return text == null ? null : Native.octets(text);
    }

    private static Verifier shared(Map<String, Verifier> verifiers, String audience, Builder builder) {
        if (verifiers.size() >= SHARED_LIMIT) {
            verifiers.clear();
        }
        return verifiers.computeIfAbsent(audience, wanted -> builder.audience(wanted).build());
    }

    /** The options of a {@link Verifier}. */
    public static final class Builder {
        private final Map<String, Object> options = Json.members();
        private Clock clock = Clock.systemUTC();

        private Builder() {}

        /**
         * Accepts ID tokens that Google has issued, checked with Google's keys.
         *
         * @return this builder
         */
        public Builder google() {
            return with("preset", "google");
        }

        /**
         * Accepts assertions of Identity-Aware Proxy, checked with its keys.
         *
         * @return this builder
         */
        public Builder iap() {
            return with("preset", "iap");
        }

        /**
         * Accepts tokens of these issuers.
         *
         * @param issuers each as it stands in {@code iss}
         * @return this builder
         */
        public Builder issuers(String... issuers) {
            return with("issuers", List.of(issuers));
        }

        /**
         * Accepts these algorithms.
         *
         * @param algorithms names of RFC 7518, section 3.1, such as {@code RS256}
         * @return this builder
         */
        public Builder algorithms(String... algorithms) {
            return with("algorithms", List.of(algorithms));
        }

        /**
         * Accepts tokens for this service, under any of these names.
         *
         * @param audiences each as callers ask for it, compared character by character
         * @return this builder
         */
        public Builder audience(String... audiences) {
            return with("audiences", List.of(audiences));
        }

        /**
         * Accepts tokens for any service, such as one that its caller has sent to somebody else. Only for a receiver
         * that checks the audience itself.
         *
         * @return this builder
         */
        public Builder anyAudience() {
            return with("any_audience", true);
        }

        /**
         * Checks with these keys and fetches none.
         *
         * @param document a JWK set (RFC 7517), or a JSON object of key ids and PEM certificates
         * @return this builder
         */
        public Builder keys(String document) {
            return with("keys", Objects.requireNonNull(document));
        }

        /**
         * Checks with the keys that are published there.
         *
         * @param url of a JWK set, or of a JSON object of key ids and PEM certificates
         * @return this builder
         */
        public Builder keysUrl(URI url) {
            return with("keys_url", url.toString());
        }

        /**
         * Lets the clocks of issuer and receiver differ.
         *
         * @param leeway whole seconds; 30, if none is given
         * @return this builder
         */
        public Builder leeway(Duration leeway) {
            return with("leeway_seconds", leeway.toSeconds());
        }

        /**
         * Accepts only tokens of senders with one of these e-mail addresses, which the issuer must have verified.
         *
         * @param emails such as those of service accounts
         * @return this builder
         */
        public Builder allowedEmails(String... emails) {
            return with("allowed_emails", List.of(emails));
        }

        /**
         * Tells the time by this clock.
         *
         * @param clock the system's, if none is given
         * @return this builder
         */
        public Builder clock(Clock clock) {
            this.clock = Objects.requireNonNull(clock);
            return this;
        }

        /**
         * Makes the verifier. Keys are fetched when the first token is verified.
         *
         * @return a verifier that remembers nothing yet
         * @throws GatepassException with {@link ErrorCode#INVALID_OPTION}
         */
        public Verifier build() {
            return new Verifier(this);
        }

        private Builder with(String option, Object value) {
            options.put(option, value);
            return this;
        }
    }
}
