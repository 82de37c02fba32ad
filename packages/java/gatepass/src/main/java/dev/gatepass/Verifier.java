package dev.gatepass;

import java.lang.ref.Reference;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
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

    private static final BoundedMemory<String, Verifier> GOOGLE = new BoundedMemory<>(SHARED_LIMIT);
    private static final BoundedMemory<String, Verifier> IAP = new BoundedMemory<>(SHARED_LIMIT);

    private final long handle;
    private final Clock clock;
    private final Flights flights;
    final ClaimsMemory memory = new ClaimsMemory();

    private Verifier(Builder builder) {
        clock = builder.clock;
        flights = new Flights(new Driver(clock, builder.environment, new Suppliers(Map.of())));
        handle = Native.newVerifier(Json.write(builder.options()));
        Native.freeWhenUnreachable(this, handle, Native::freeVerifier);
    }

    /**
     * The process-wide verifier of ID tokens that Google has issued, whoever sends them: see {@link Builder#google()}.
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
     * @return a builder; it needs a kind of sender, such as {@link Builder#cloudRun()}, or issuers with algorithms and
     *     keys, and an audience
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
        return verdict(Native.octets(token));
    }

    /**
     * As {@link #verify}, without waiting.
     *
     * @param token a JWT
     * @return its claims to come; cancelling it cancels a fetch of keys and nobody else's verification
     */
    public CompletableFuture<Claims> verifyAsync(String token) {
        byte[] octets = Native.octets(token);
        return flights.settle(() -> check(octets), keysHaveCome -> null);
    }

    /**
     * Says who has sent a request, by the headers that may carry a token: {@code verifyRequest(request::getHeader)}.
     *
     * @param header gives the value of a header, in any case of its name; null if the request does not have it
     * @return the claims of its token
     * @throws VerifyException if it has none, or one that is not to be accepted or cannot be checked now
     */
    public Claims verifyRequest(UnaryOperator<String> header) {
        return verdict(tokenOf(header));
    }

    /**
     * Says what a token is, and all that this verifier finds wrong with it, with the keys that it holds at the moment.
     * Nothing is fetched.
     *
     * @param token a token, or what was sent in place of one
     * @return findings, in words for people and in codes for programs
     */
    public Explanation explain(String token) {
        return explain(token, null, null);
    }

    /**
     * As {@link #explain(String)}, where more is known about the call.
     *
     * @param token a token, or what was sent in place of one
     * @param url that was called; null if it is not known
     * @param header the name of the header that carried the token; null if it is not known
     * @return findings, in words for people and in codes for programs
     */
    public Explanation explain(String token, URI url, String header) {
        byte[] place = Json.write(Explanation.place(url, header));
        try {
            return Explanation.of(Native.explainTo(handle, Native.octets(token), place, clock.millis()));
        } finally {
            Reference.reachabilityFence(this);
        }
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

    private Claims verdict(byte[] token) {
        return flights.await(() -> check(token), keysHaveCome -> null);
    }

    private Answer<Claims> check(byte[] token) {
        try {
            long nowMs = clock.millis();
            long recalled = Native.recall(handle, token, nowMs);
            Claims held = recalled > 0 ? memory.get(recalled) : null;
            return held != null ? Answer.ready(held) : check(token, Math.min(recalled, 0), nowMs);
        } finally {
            Reference.reachabilityFence(this); // Or the handle might be freed while a call runs.
        }
    }

    private Answer<Claims> check(byte[] token, long digest, long nowMs) {
        long[] numbers = Answer.numbers();
        byte[] payload = Native.check(handle, token, digest, nowMs, numbers);
        return Answer.read(numbers, () -> {
            Claims claims = new Claims(payload, Answer.isUnverified(numbers), Answer.entry(numbers));
            if (claims.entry() != 0) {
                memory.put(claims);
            }
            return claims;
        });
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

    private static Verifier shared(BoundedMemory<String, Verifier> verifiers, String audience, Builder builder) {
        return verifiers.computeIfAbsent(audience, wanted -> builder.audience(wanted).build());
    }

    /** The options of a {@link Verifier}. */
    public static final class Builder {
        private final Map<String, Object> options = Json.members();
        private Clock clock = Clock.systemUTC();
        private UnaryOperator<String> environment = System::getenv;

        private Builder() {}

        /**
         * Accepts ID tokens that Google has issued, checked with Google's keys. Google gives anybody a token for any
         * audience: to let only your own senders in, name them by {@link #allowedEmails} or {@link #allowedSubjects}.
         *
         * @return this builder
         */
        public Builder google() {
            return with("preset", "google");
        }

        /**
         * Accepts calls of other services to this one on Cloud Run or Cloud Functions. Needs the callers' service
         * accounts: {@link #allowedEmails}, {@link #allowedSubjects} or {@link #anyCaller}.
         *
         * @return this builder
         */
        public Builder cloudRun() {
            return with("preset", "cloud_run");
        }

        /**
         * Accepts pushes of Pub/Sub. Needs the subscription's service account: {@link #allowedEmails},
         * {@link #allowedSubjects} or {@link #anyCaller}.
         *
         * @return this builder
         */
        public Builder pubSub() {
            return with("preset", "pubsub");
        }

        /**
         * Accepts HTTP tasks of Cloud Tasks. Needs the tasks' service account: {@link #allowedEmails},
         * {@link #allowedSubjects} or {@link #anyCaller}.
         *
         * @return this builder
         */
        public Builder cloudTasks() {
            return with("preset", "cloud_tasks");
        }

        /**
         * Accepts HTTP jobs of Cloud Scheduler. Needs the job's service account: {@link #allowedEmails},
         * {@link #allowedSubjects} or {@link #anyCaller}.
         *
         * @return this builder
         */
        public Builder cloudScheduler() {
            return with("preset", "cloud_scheduler");
        }

        /**
         * Accepts events of Eventarc. Needs the trigger's service account: {@link #allowedEmails},
         * {@link #allowedSubjects} or {@link #anyCaller}.
         *
         * @return this builder
         */
        public Builder eventarc() {
            return with("preset", "eventarc");
        }

        /**
         * Accepts users of Firebase Authentication or Identity Platform. The {@link #audience} is the project's id, and
         * only one.
         *
         * @return this builder
         */
        public Builder firebase() {
            return with("preset", "firebase");
        }

        /**
         * Accepts tokens of any OpenID Connect issuer, with the keys and algorithms that its discovery document names
         * (OpenID Connect Discovery 1.0).
         *
         * @param issuer as it stands in {@code iss}: an {@code https} URL; {@code http} on a loopback host is let
         *     through
         * @return this builder
         */
        public Builder oidc(String issuer) {
            return with("preset", "oidc").issuers(issuer);
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
         * @param algorithms {@code RS256}, {@code RS384}, {@code RS512}, {@code PS256}, {@code ES256}, {@code ES384}
         *     (RFC 7518, section 3.1) or {@code EdDSA} (RFC 8037)
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
         * Accepts only tokens of these senders, to the letter: a subject is never given to anybody else, as an e-mail
         * address may be. Where {@link #allowedEmails} are given too, a sender must be on both lists.
         *
         * @param subjects values of {@code sub}, such as the unique ids of service accounts
         * @return this builder
         */
        public Builder allowedSubjects(String... subjects) {
            return with("allowed_subjects", List.of(subjects));
        }

        /**
         * Accepts tokens of any sender, where the kind of sender would want to be told who may call. Only for a receiver
         * that checks the caller itself: Google gives anybody a token for any audience.
         *
         * @return this builder
         */
        public Builder anyCaller() {
            return with("any_caller", true);
        }

        /**
         * Accepts a token whose signature Cloud Run has removed, after a check of its own, without any proof of it; its
         * claims are {@linkplain Claims#isUnverified() marked}. Only for a service that lets nobody in without that
         * check ("require authentication"): to any other, anybody can send such a token.
         *
         * <p>On Cloud Run only, which is told by the environment variable {@code K_SERVICE}.
         *
         * @return this builder
         */
        public Builder trustCloudRunAndSkipSignature() {
            return with("trust_cloud_run_and_skip_signature", true);
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

        /**
         * Says what a token is, and all that a verifier with these options would find wrong with it. Every option may be
         * left out, even those that {@link #build} needs. Keys are used where they are {@linkplain #keys given}, and
         * never fetched.
         *
         * @param token a token, or what was sent in place of one
         * @return findings, in words for people and in codes for programs
         * @throws GatepassException with {@link ErrorCode#INVALID_OPTION}
         */
        public Explanation explain(String token) {
            return explain(token, null, null);
        }

        /**
         * As {@link #explain(String)}, where more is known about the call.
         *
         * @param token a token, or what was sent in place of one
         * @param url that was called, which tells the audience where none is given; null if it is not known
         * @param header the name of the header that carried the token; null if it is not known
         * @return findings, in words for people and in codes for programs
         * @throws GatepassException with {@link ErrorCode#INVALID_OPTION}, or with {@link ErrorCode#INVALID_AUDIENCE} if
         *     the URL tells none
         */
        public Explanation explain(String token, URI url, String header) {
            Map<String, Object> question = options();
            question.putAll(Explanation.place(url, header));
            return Explanation.of(Native.explain(Json.write(question), Native.octets(token), clock.millis()));
        }

        Builder environment(UnaryOperator<String> environment) {
            this.environment = environment;
            return this;
        }

        /** The options that were given, and what the environment adds to them. */
        private Map<String, Object> options() {
            Map<String, Object> all = Json.members();
            all.putAll(options);
            all.put("k_service", environment.apply("K_SERVICE"));
            return all;
        }

        private Builder with(String option, Object value) {
            options.put(option, value);
            return this;
        }
    }
}
