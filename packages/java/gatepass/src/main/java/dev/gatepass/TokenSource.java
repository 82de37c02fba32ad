package dev.gatepass;

import dev.gatepass.driver.Answer;
import dev.gatepass.driver.Driver;
import dev.gatepass.driver.End;
import dev.gatepass.driver.Flights;
import dev.gatepass.driver.Suppliers;
import dev.gatepass.json.Json;
import dev.gatepass.json.Utf8;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Base64;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/**
 * Tokens of one principal, cached: fetched once however many threads ask, and again before they end.
 *
 * <p>Make one and keep it. It holds no thread and no connection, and there is nothing to close.
 */
public final class TokenSource {
    /** Half of a surrogate pair, which is no character. */
    private static final Pattern LONE_SURROGATE = Pattern.compile("\\p{Cs}");

    private final long handle;
    private final Time time;
    private final Flights flights;
    private final Kind idTokens = new Kind("id_token");
    private final Kind accessTokens = new Kind("access_token");
    private final Kind selfSignedJwts = new Kind("self_signed_jwt");

    private TokenSource(Builder builder) {
        time = builder.time;
        flights = new Flights(
                new Driver(builder.environment, new Suppliers(builder.suppliers), time.pause(), Limits.BOUNDS), Limits.LOOKS);
        handle = Native.newSource(Json.write(builder.options));
        Handles.freeWhenUnreachable(this, handle, Native::freeSource);
    }

    /**
     * The process-wide source, with Application Default Credentials: the file that
     * {@code GOOGLE_APPLICATION_CREDENTIALS} names, gcloud's own file, or the metadata server.
     *
     * @return always the same source
     */
    public static TokenSource applicationDefault() {
        return ApplicationDefault.SOURCE;
    }

    /**
     * Begins a source of its own, with its own cache.
     *
     * @return a builder; without any option it finds Application Default Credentials
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * An ID token for {@code audience}; fetched if none is held, else at once.
     *
     * @param audience the receiver: its URL, a custom audience, or the OAuth client id of IAP
     * @return the token, a JWT
     * @throws GatepassException if the audience is not one, or no token can be had
     */
    public String fetchIdToken(String audience) {
        return idTokens.await(audience).value();
    }

    /**
     * As {@link #fetchIdToken}, as the value of the header {@code Authorization}: for an HTTP client that
     * {@link IdTokenClient} cannot take the place of.
     *
     * @param audience the receiver: its URL, a custom audience, or the OAuth client id of IAP
     * @return {@code Bearer} and the token
     * @throws GatepassException if the audience is not one, or no token can be had
     */
    public String fetchIdTokenHeader(String audience) {
        return idTokens.await(audience).header();
    }

    /**
     * As {@link #fetchIdToken}, with the moment at which the token ends.
     *
     * @param audience the receiver: its URL, a custom audience, or the OAuth client id of IAP
     * @return the token and its end
     * @throws GatepassException if the audience is not one, or no token can be had
     */
    public Token fetchIdTokenInfo(String audience) {
        return idTokens.await(audience);
    }

    /**
     * As {@link #fetchIdToken}, without waiting.
     *
     * @param audience the receiver: its URL, a custom audience, or the OAuth client id of IAP
     * @return the token to come; cancelling it cancels the fetch and nobody else's
     */
    public CompletableFuture<String> fetchIdTokenAsync(String audience) {
        return Futures.map(fetchIdTokenInfoAsync(audience), Token::value);
    }

    /**
     * As {@link #fetchIdTokenInfo}, without waiting.
     *
     * @param audience the receiver: its URL, a custom audience, or the OAuth client id of IAP
     * @return the token to come; cancelling it cancels the fetch and nobody else's
     */
    public CompletableFuture<Token> fetchIdTokenInfoAsync(String audience) {
        return idTokens.token(audience);
    }

    /**
     * An access token for Google's APIs; fetched if none is held, else at once.
     *
     * @param scopes OAuth 2.0 scopes; their order does not matter
     * @return the token
     * @throws GatepassException if a scope is not one, or no token can be had
     */
    public String fetchAccessToken(String... scopes) {
        return accessTokens.await(joined(scopes)).value();
    }

    /**
     * As {@link #fetchAccessToken}, with the moment at which the token ends.
     *
     * @param scopes OAuth 2.0 scopes; their order does not matter
     * @return the token and its end
     * @throws GatepassException if a scope is not one, or no token can be had
     */
    public Token fetchAccessTokenInfo(String... scopes) {
        return accessTokens.await(joined(scopes));
    }

    /**
     * Replaces a token before its time, because a receiver has refused it: the next call fetches another. The clients of
     * this package do so by themselves.
     *
     * @param token as this source has given it
     * @return whether it is worth asking again now: a token is replaced at most once a minute
     */
    public boolean invalidate(Token token) {
        Objects.requireNonNull(token, "token");
        try {
            return refused(token, Native.invalidate(handle, Utf8.bytes(token.kind()), Utf8.bytes(token.target()),
                    Utf8.bytes(token.header()), time.nowMs(), time.monotonicMs()));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * As {@link #fetchAccessToken}, without waiting.
     *
     * @param scopes OAuth 2.0 scopes; their order does not matter
     * @return the token to come; cancelling it cancels the fetch and nobody else's
     */
    public CompletableFuture<String> fetchAccessTokenAsync(String... scopes) {
        return Futures.map(fetchAccessTokenInfoAsync(scopes), Token::value);
    }

    /**
     * As {@link #fetchAccessTokenInfo}, without waiting.
     *
     * @param scopes OAuth 2.0 scopes; their order does not matter
     * @return the token to come; cancelling it cancels the fetch and nobody else's
     */
    public CompletableFuture<Token> fetchAccessTokenInfoAsync(String... scopes) {
        return accessTokens.token(joined(scopes));
    }

    /**
     * A JWT for {@code audience} that the service account's own key has signed (AIP-4111), without asking anybody; for
     * those of Google's APIs that take one in place of an access token.
     *
     * @param audience the API, such as {@code https://pubsub.googleapis.com/}
     * @return the token
     * @throws GatepassException with {@link ErrorCode#SELF_SIGNED_JWT_UNSUPPORTED} if the credentials have no key of
     *     their own
     */
    public String fetchSelfSignedJwt(String audience) {
        return selfSignedJwts.await(audience).value();
    }

    /**
     * As {@link #fetchSelfSignedJwt}, without waiting.
     *
     * @param audience the API, such as {@code https://pubsub.googleapis.com/}
     * @return the token to come
     */
    public CompletableFuture<String> fetchSelfSignedJwtAsync(String audience) {
        return Futures.map(selfSignedJwts.token(audience), Token::value);
    }

    /**
     * The headers that go with an access token on a call of Google's APIs, in addition to {@code Authorization}, such as the
     * project that is billed.
     *
     * @return name and value of each; empty until a token was fetched, for the credentials may name the project
     */
    public Map<String, String> accessTokenHeaders() {
        Map<String, String> headers = new LinkedHashMap<>();
        try {
            for (Object header : (List<?>) Json.read(Utf8.text(Native.accessTokenHeaders(handle)))) {
                headers.put((String) ((List<?>) header).get(0), (String) ((List<?>) header).get(1));
            }
        } finally {
            Reference.reachabilityFence(this);
        }
        return Collections.unmodifiableMap(headers);
    }

    /**
     * Nothing that this source holds is shown.
     *
     * @return the name of the class
     */
    @Override
    public String toString() {
        return "TokenSource";
    }

    /**
     * Who the credentials are.
     *
     * @return as far as the credentials say it
     * @throws GatepassException if there are no credentials, or they cannot be asked
     */
    public Principal fetchPrincipal() {
        return ask(() -> Native.principal(handle), output ->
                new Principal((String) output.get("email"), (String) output.get("project_id")));
    }

    /**
     * Signs as the credentials' service account, with its key or by the IAM Credentials API: for signed URLs, for one.
     *
     * @param bytes what is to be signed
     * @return the signature
     * @throws GatepassException if the credentials are none of a service account, or may not sign
     */
    public SignedBytes signBytes(byte[] bytes) {
        byte[] copy = bytes.clone();
        return ask(() -> Native.signBytes(handle, copy), output -> new SignedBytes(
                (String) output.get("key_id"), Base64.getDecoder().decode((String) output.get("signature"))));
    }

    /** Drives an operation that nobody joins; it begins on this thread, and a key's signature needs no other. */
    private <T> T ask(LongSupplier operation, Function<Map<String, Object>, T> output) {
        Supplier<Answer<T>> ask = () -> {
            try {
                return Answer.drive(new Op(operation.getAsLong(), 0, time));
            } finally {
                Reference.reachabilityFence(this);
            }
        };
        return Futures.await(flights.settle(ask.get(), ask, end -> output.apply(Failures.output(end))));
    }

    /** Whether a request that was answered like this is worth repeating once, with another token. */
    boolean retryAfterRefusal(Token token, int status) {
        try {
            return refused(token, Native.retryAfterRefusal(handle, Utf8.bytes(token.kind()),
                    Utf8.bytes(token.target()), Utf8.bytes(token.header()), status, time.nowMs(), time.monotonicMs()));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private boolean refused(Token token, boolean another) {
        if (another) {
            for (Kind kind : List.of(idTokens, accessTokens, selfSignedJwts)) {
                if (kind.name.equals(token.kind())) {
                    kind.forget(token.target());
                }
            }
        }
        return another;
    }

    private static String joined(String... scopes) {
        for (String scope : Objects.requireNonNull(scopes, "scopes")) {
            Objects.requireNonNull(scope, "scopes");
        }
        return String.join(" ", scopes);
    }

    Answer<Token> lookup(String kind, String target, long nowMs, long monotonicMs) {
        // Java would send it as "?", which passes for a character; the core refuses the replacement character.
        String characters = LONE_SURROGATE.matcher(target).replaceAll("\ufffd");
        try {
            Numbers numbers = new Numbers();
            byte[] header = Native.lookup(
                    handle, Utf8.bytes(kind), Utf8.bytes(characters), nowMs, monotonicMs, numbers.room());
            return numbers.answer(time, () -> Token.of(kind, target, header, numbers));
        } finally {
            Reference.reachabilityFence(this); // Or the handle might be freed while the call runs.
        }
    }

    /** The tokens of one kind, and those that may be handed out without asking the core. */
    private final class Kind {
        private final String name;
        private final BoundedMemory<String, Token> memory = new BoundedMemory<>(Limits.HELD_TOKENS);
        private volatile long refusals;
        /** What was kept last, to be found without a search: most programs have one audience. */
        private volatile Token latest;

        Kind(String name) {
            this.name = name;
        }

        /** The token, waited for if it must be. */
        Token await(String target) {
            Objects.requireNonNull(target, "audience");
            Token held = held(target);
            if (held == null) {
                long before = refusals;
                Answer<Token> answer = lookup(target);
                held = answer.isReady() ? answer.value()
                        : Futures.await(flights.settle(answer, () -> lookup(target), end -> fetched(target, end)));
                keep(target, held, before);
            }
            return held;
        }

        CompletableFuture<Token> token(String target) {
            Objects.requireNonNull(target, "audience");
            Token held = held(target);
            if (held != null) {
                return CompletableFuture.completedFuture(held);
            }
            long before = refusals;
            CompletableFuture<Token> token = flights.settle(() -> lookup(target), end -> fetched(target, end));
            token.thenAccept(arrived -> keep(target, arrived, before));
            return token;
        }

        private Answer<Token> lookup(String target) {
            return TokenSource.this.lookup(name, target, time.nowMs(), time.monotonicMs());
        }

        private Token fetched(String target, End end) {
            return Token.of(name, target, Failures.output(end));
        }

        /**
         * Keeps a token that was asked for after so many refusals. Others may have sent it before it is kept here: if
         * one was refused since, it may have been this one, and the core says what comes next.
         */
        private synchronized void keep(String target, Token token, long before) {
            if (refusals == before) {
                memory.put(target, token);
                latest = token;
            }
        }

        private synchronized void forget(String target) {
            refusals++;
            memory.remove(target);
            latest = null;
        }

        /** The token that may be handed out without asking the core; null if there is none. */
        private Token held(String target) {
            Token last = latest;
            Token held = last != null && last.target().equals(target) ? last : memory.get(target);
            return held != null && held.isFresh(time) ? held : null;
        }
    }

    /** Made when it is first asked for, and not when the class is loaded. */
    private static final class ApplicationDefault {
        static final TokenSource SOURCE = builder().build();
    }

    /** The options of a {@link TokenSource}. */
    public static final class Builder {
        private final Map<String, Object> options = Json.members();
        private final Map<String, Suppliers.Supplier> suppliers = new HashMap<>();
        private Time time = Time.SYSTEM;
        private UnaryOperator<String> environment = System::getenv;

        private Builder() {
            // Any number; it spreads the refreshes of a fleet. 2^53 is where the numbers of some languages end.
            with("seed", ThreadLocalRandom.current().nextLong(1L << 53));
        }

        /**
         * Takes the credentials from this file, whatever the environment says.
         *
         * @param file a credential file as Google's tools write it
         * @return this builder
         */
        public Builder credentialsFile(Path file) {
            return with("credentials_file", Objects.requireNonNull(file, "file").toString());
        }

        /**
         * Takes these credentials, whatever the environment says.
         *
         * @param json what would stand in the credential file
         * @return this builder
         */
        public Builder credentialsJson(String json) {
            return with("credentials_json", Objects.requireNonNull(json, "json"));
        }

        /**
         * Fetches tokens of this service account, with the credentials that are found or given.
         *
         * @param email the service account
         * @param delegates the accounts in between, if the credentials may not impersonate it directly
         * @return this builder
         */
        public Builder impersonate(String email, String... delegates) {
            return with("impersonate", Objects.requireNonNull(email, "email")).with("delegates", List.of(delegates));
        }

        /**
         * Fetches access tokens that act for a person (domain-wide delegation), which an administrator of the person's
         * domain must have allowed the service account.
         *
         * @param email the person
         * @return this builder
         */
        public Builder subject(String email) {
            return with("subject", Objects.requireNonNull(email, "email"));
        }

        /**
         * Lets a service account's key sign access tokens itself (AIP-4111) instead of asking an endpoint for them.
         * Other credentials do as always.
         *
         * @return this builder
         */
        public Builder selfSignedAccessTokens() {
            return with("self_signed_access_tokens", true);
        }

        /**
         * Fetches tokens for this API of Google Distributed Cloud; credentials of the type {@code gdch_service_account}
         * need it.
         *
         * @param audience the API's address
         * @return this builder
         */
        public Builder gdchAudience(String audience) {
            return with("gdch_audience", Objects.requireNonNull(audience, "audience"));
        }

        /**
         * Takes, from credentials of a person, the ID token of their login, whatever audience is asked for: it is for
         * the OAuth client that they logged in with. Cloud Run takes it if gcloud was that client; no other receiver
         * should.
         *
         * @return this builder
         */
        public Builder allowUserIdToken() {
            return with("allow_user_id_token", true);
        }

        /**
         * Takes only credentials of this type.
         *
         * @param type as a credential file has it, such as {@code service_account}; or {@code metadata} for the
         *     metadata server
         * @return this builder
         */
        public Builder expectType(String type) {
            return with("expect_type", Objects.requireNonNull(type, "type"));
        }

        /**
         * Bills this project for calls with access tokens.
         *
         * @param projectId that of the credential file, if none is given
         * @return this builder
         * @see TokenSource#accessTokenHeaders()
         */
        public Builder quotaProjectId(String projectId) {
            return with("quota_project_id", Objects.requireNonNull(projectId, "projectId"));
        }

        /**
         * Trusts the endpoints of another universe in addition to those of Google's own.
         *
         * @param domain such as {@code googleapis.com}
         * @return this builder
         */
        public Builder universeDomain(String domain) {
            return with("universe_domain", Objects.requireNonNull(domain, "domain"));
        }

        /**
         * Trusts token endpoints in addition to Google's own, such as those of an emulator.
         *
         * @param hostsAndPorts each a {@code host:port}
         * @return this builder
         */
        public Builder trustedEndpoints(String... hostsAndPorts) {
            return with("trusted_endpoints", List.of(hostsAndPorts));
        }

        /**
         * Takes subject tokens from this function, where the credentials say
         * {@code "credential_source": {"supplier": "NAME"}}.
         *
         * @param name the name in the credentials
         * @param supplier is asked each time that a token is fetched
         * @return this builder
         */
        public Builder supplier(String name, SubjectTokenSupplier supplier) {
            Objects.requireNonNull(supplier, "supplier");
            suppliers.put(Objects.requireNonNull(name, "name"), (audience, tokenType) ->
                    supplier.subjectToken(new SubjectTokenRequest(audience, tokenType)));
            return this;
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
         * Makes the source. Credentials are looked for when the first token is fetched.
         *
         * @return a source with an empty cache
         * @throws GatepassException with {@link ErrorCode#INVALID_OPTION}
         */
        public TokenSource build() {
            Native.require();
            return new TokenSource(this);
        }

        /**
         * Nothing that was given is shown.
         *
         * @return the name of the class
         */
        @Override
        public String toString() {
            return "TokenSource.Builder";
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

        Builder with(String option, Object value) {
            options.put(option, value);
            return this;
        }
    }
}
