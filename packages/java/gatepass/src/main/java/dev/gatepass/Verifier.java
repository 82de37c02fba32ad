package dev.gatepass;

import dev.gatepass.driver.Answer;
import dev.gatepass.driver.End;
import dev.gatepass.driver.Flights;
import dev.gatepass.json.Json;
import dev.gatepass.json.Utf8;
import java.lang.ref.Reference;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * Checks received tokens. Keys are fetched when they are first needed, once however many threads wait for them, and
 * again before they end; a token that was found good is remembered.
 *
 * <p>Make one and keep it. It holds no thread and no connection, and there is nothing to close.
 */
public final class Verifier {
    private final long handle;
    private final Time time;
    private final KeyCache keys;
    private final Flights flights;
    final ClaimsMemory memory = new ClaimsMemory();

    private Verifier(Builder builder) {
        Native.require();
        time = builder.time;
        keys = builder.keys();
        flights = keys.flights();
        handle = open(builder);
        Handles.freeWhenUnreachable(this, handle, Native::freeVerifier);
    }

    private long open(Builder builder) {
        Op op = keys.open(builder.allOptions(), time);
        try {
            for (Object warning : (List<?>) Failures.output(keys.driver().driveAtOnce(op)).get("warnings")) {
                // Looked up here: most programs need no logger, and the first one takes longer than all else of a verifier.
                System.getLogger("dev.gatepass").log(System.Logger.Level.WARNING, (String) warning);
            }
            return op.verifier();
        } finally {
            op.cancel();
        }
    }

    /**
     * The process-wide verifier of ID tokens that Google has issued, whoever sends them: see {@link Builder#google()}.
     *
     * @param audience this service's audience, as its callers ask for it
     * @return the same verifier for the same audience
     * @throws GatepassException with {@link ErrorCode#INVALID_OPTION}
     */
    public static Verifier google(String audience) {
        return shared("google", audience, builder().google());
    }

    /**
     * The process-wide verifier of the assertions of Identity-Aware Proxy.
     *
     * @param audience such as {@code /projects/NUMBER/global/backendServices/ID}
     * @return the same verifier for the same audience
     * @throws GatepassException with {@link ErrorCode#INVALID_OPTION}
     */
    public static Verifier iap(String audience) {
        return shared("iap", audience, builder().iap());
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
        return verdict(Utf8.bytes(Objects.requireNonNull(token, "token")));
    }

    /**
     * As {@link #verify}, without waiting.
     *
     * @param token a JWT
     * @return its claims to come; cancelling it cancels a fetch of keys and nobody else's verification
     */
    public CompletableFuture<Claims> verifyAsync(String token) {
        byte[] bytes = Utf8.bytes(Objects.requireNonNull(token, "token"));
        return flights.settle(() -> check(bytes), Verifier::keysHaveCome);
    }

    /**
     * Says who has sent a request, by the headers that may carry a token: {@code verifyRequest(request::getHeaders)} in a
     * servlet.
     *
     * @param headers gives all values of a header, in any case of its name; null or none if the request does not have it
     * @return the claims of its token
     * @throws VerifyException if it has none, or one that is not to be accepted or cannot be checked now
     */
    public Claims verifyRequest(Function<String, Enumeration<String>> headers) {
        return verdict(tokenOf(TokenHeaders.from(Objects.requireNonNull(headers, "headers"))));
    }

    /**
     * As the other, from a map of all headers, as most HTTP servers and events of serverless platforms have it.
     *
     * @param headers by their names, in any case; each value is a {@link String}, or a collection or an array of them
     * @return the claims of the request's token
     * @throws VerifyException if it has none, or one that is not to be accepted or cannot be checked now
     */
    public Claims verifyRequest(Map<String, ?> headers) {
        return verdict(tokenOf(TokenHeaders.from(Objects.requireNonNull(headers, "headers"))));
    }

    /**
     * As {@link #verifyRequest(Function)}, without waiting.
     *
     * @param headers gives all values of a header, in any case of its name; it is asked before this returns
     * @return the claims of the request's token to come; a failure is a {@link VerifyException}
     */
    public CompletableFuture<Claims> verifyRequestAsync(Function<String, Enumeration<String>> headers) {
        byte[] token;
        try {
            token = tokenOf(TokenHeaders.from(Objects.requireNonNull(headers, "headers")));
        } catch (GatepassException missing) {
            return CompletableFuture.failedFuture(missing);
        }
        return flights.settle(() -> check(token), Verifier::keysHaveCome);
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
        Objects.requireNonNull(token, "token");
        byte[] place = Json.write(Explanation.place(url, header));
        try {
            return Explanation.of(Native.explainTo(handle, Utf8.bytes(token), place, time.nowMs()));
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
        Answer<Claims> answer = check(token);
        return answer.isReady() ? answer.value()
                : Futures.await(flights.settle(answer, () -> check(token), Verifier::keysHaveCome));
    }

    /** Nothing by itself: the token is checked again, with the keys. */
    private static Claims keysHaveCome(End end) {
        Failures.output(end);
        return null;
    }

    private Answer<Claims> check(byte[] token) {
        try {
            long nowMs = time.nowMs();
            long monotonicMs = time.monotonicMs();
            long recalled = Native.recall(handle, token, nowMs, monotonicMs);
            Claims held = recalled > 0 ? memory.get(recalled) : null;
            return held != null ? Answer.ready(held) : check(token, Math.min(recalled, 0), nowMs, monotonicMs);
        } finally {
            Reference.reachabilityFence(this); // Or the handle might be freed while a call runs.
        }
    }

    private Answer<Claims> check(byte[] token, long digest, long nowMs, long monotonicMs) {
        Numbers numbers = new Numbers();
        byte[] payload = Native.check(handle, token, digest, nowMs, monotonicMs, numbers.room());
        return numbers.answer(time, () -> {
            Claims claims = new Claims(payload, numbers.isUnverified(), numbers.entry());
            if (claims.entry() != 0) {
                memory.put(claims);
            }
            return claims;
        });
    }

    private byte[] tokenOf(byte[][] headers) {
        try {
            return Native.tokenFromHeaders(handle, headers[0], headers[1], headers[2]);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private static Verifier shared(String kind, String audience, Builder builder) {
        Native.require();
        return Shared.BY_KIND_AND_AUDIENCE.computeIfAbsent(
                List.of(kind, Objects.requireNonNull(audience, "audience")), key -> builder.audience(audience).build());
    }

    private static final class Shared {
        /** A service has one audience, or a few. */
        static final BoundedMemory<List<String>, Verifier> BY_KIND_AND_AUDIENCE = new BoundedMemory<>(Limits.HELD_TOKENS);
    }

    /** The options of a {@link Verifier}. */
    public static final class Builder {
        private final Map<String, Object> options = Json.members();
        private Time time = Time.SYSTEM;
        private UnaryOperator<String> environment;

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
         * @param issuer as in {@code iss}: an {@code https} URL; {@code http} on a loopback host is let
         *     through
         * @return this builder
         */
        public Builder oidc(String issuer) {
            return with("preset", "oidc").issuers(Objects.requireNonNull(issuer, "issuer"));
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
         * @param issuers each as in {@code iss}
         * @return this builder
         */
        public Builder issuers(String... issuers) {
            return with("issuers", texts("issuers", issuers));
        }

        /**
         * Accepts these algorithms.
         *
         * @param algorithms {@code RS256}, {@code RS384}, {@code RS512}, {@code PS256}, {@code ES256}, {@code ES384}
         *     (RFC 7518, section 3.1) or {@code EdDSA} (RFC 8037)
         * @return this builder
         */
        public Builder algorithms(String... algorithms) {
            return with("algorithms", texts("algorithms", algorithms));
        }

        /**
         * Accepts tokens for this service, under any of these names.
         *
         * @param audiences each as callers ask for it, compared character by character
         * @return this builder
         */
        public Builder audiences(String... audiences) {
            return with("audiences", texts("audiences", audiences));
        }

        /**
         * Accepts tokens for this service, under this name only.
         *
         * @param audience as callers ask for it, compared character by character
         * @return this builder
         */
        public Builder audience(String audience) {
            return audiences(Objects.requireNonNull(audience, "audience"));
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
         * @param document a JWK set (RFC 7517), one JWK, or a JSON object of key ids and PEM certificates
         * @return this builder
         */
        public Builder keys(String document) {
            return with("keys", Objects.requireNonNull(document, "document"));
        }

        /**
         * Checks with the keys that are published there.
         *
         * @param url of a JWK set, or of a JSON object of key ids and PEM certificates
         * @return this builder
         */
        public Builder keysUrl(URI url) {
            return with("keys_url", Objects.requireNonNull(url, "url").toString());
        }

        /**
         * Bounds what remembered tokens take, here and in the core. A token that is forgotten is checked again.
         *
         * @param bytes 16 MiB, if none are given; 0 remembers nothing
         * @return this builder
         */
        public Builder rememberedBytes(long bytes) {
            return with("remembered_bytes", bytes);
        }

        /**
         * Lets the clocks of issuer and receiver differ.
         *
         * @param leeway whole seconds; 30, if none is given
         * @return this builder
         */
        public Builder leeway(Duration leeway) {
            return with("leeway_seconds", Objects.requireNonNull(leeway, "leeway").toSeconds());
        }

        /**
         * Accepts only tokens of senders with one of these e-mail addresses, which the issuer must have verified.
         *
         * @param emails such as those of service accounts
         * @return this builder
         */
        public Builder allowedEmails(String... emails) {
            return with("allowed_emails", texts("emails", emails));
        }

        /**
         * Accepts only tokens of exactly these senders: a subject is never given to anybody else, as an e-mail
         * address may be. Where {@link #allowedEmails} are given too, a sender must be on both lists.
         *
         * @param subjects values of {@code sub}, such as the unique ids of service accounts
         * @return this builder
         */
        public Builder allowedSubjects(String... subjects) {
            return with("allowed_subjects", texts("subjects", subjects));
        }

        /**
         * Accepts tokens of any sender, where the kind of sender otherwise requires a list of who may call. Only for a receiver
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
         * <p>On Cloud Run only, which the environment variable {@code K_SERVICE} shows.
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
            return time(Time.of(Objects.requireNonNull(clock, "clock")));
        }

        Builder time(Time time) {
            this.time = time;
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
         * @param url that was called, from which the audience is derived where none is given; null if it is not known
         * @param header the name of the header that carried the token; null if it is not known
         * @return findings, in words for people and in codes for programs
         * @throws GatepassException with {@link ErrorCode#INVALID_OPTION}, or with {@link ErrorCode#INVALID_AUDIENCE} if
         *     none can be derived from the URL
         */
        public Explanation explain(String token, URI url, String header) {
            Native.require();
            Objects.requireNonNull(token, "token");
            Map<String, Object> question = Json.members();
            question.putAll(options);
            question.putAll(Explanation.place(url, header));
            return Explanation.of(Native.explain(Json.write(question), Utf8.bytes(token), time.nowMs()));
        }

        /**
         * Reads variables of the environment by this function.
         *
         * @param environment gives the value of a variable, null if it is not set; {@link System#getenv(String)}, if none
         *     is given
         * @return this builder
         */
        public Builder environment(UnaryOperator<String> environment) {
            this.environment = Objects.requireNonNull(environment, "environment");
            return this;
        }

        /** With a clock or an environment of its own a verifier shares nothing: what it fetches is of another world. */
        private KeyCache keys() {
            return environment == null && time == Time.SYSTEM ? KeyCache.shared()
                    : new KeyCache(environment == null ? System::getenv : environment, time);
        }

        /** The options that were given, and what this package costs. */
        private Map<String, Object> allOptions() {
            Map<String, Object> all = Json.members();
            all.putAll(options);
            all.put("host_cost", Claims.COST);
            return all;
        }

        private static List<String> texts(String name, String... values) {
            for (String value : Objects.requireNonNull(values, name)) {
                Objects.requireNonNull(value, name);
            }
            return List.of(values);
        }

        private Builder with(String option, Object value) {
            options.put(option, value);
            return this;
        }
    }
}
