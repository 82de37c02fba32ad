package dev.gatepass;

import static dev.gatepass.Vectors.list;
import static dev.gatepass.Vectors.members;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatepass.json.Json;
import dev.gatepass.json.Utf8;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The attack corpus of the fetching side: hostile credential files, audiences and answers, by the public API. */
class ClientVectorsTest {
    private static final Instant NOW = Instant.ofEpochSecond(1_800_000_000);
    private static final String AUDIENCE = "https://orders-7f3kq2x4ca-uc.a.run.app";
    private static final String SCOPE = "https://www.googleapis.com/auth/cloud-platform";
    /** A token whose kid no set has: it is refused for that once there are keys. */
    /** A token is not handed out in its last moments: the receiver must still find it valid. */
    private static final Duration LAST_MOMENTS = Duration.ofSeconds(10);
    private static final Pattern SECRET = Pattern.compile("eyJ|ya29|MIIEv");
    /** Reasons of the corpus, and the error codes that stand for each. */
    private static final Map<String, Set<ErrorCode>> CODES = Map.of(
            "bad_endpoint", Set.of(ErrorCode.ENDPOINT_NOT_ALLOWED),
            "bad_source", Set.of(ErrorCode.CREDENTIALS_FILE_INVALID, ErrorCode.EXECUTABLE_NOT_ALLOWED),
            "bad_file", Set.of(ErrorCode.CREDENTIALS_FILE_INVALID, ErrorCode.CREDENTIALS_TYPE_UNKNOWN),
            "bad_audience_argument", Set.of(ErrorCode.INVALID_AUDIENCE));

    private static List<Map<String, Object>> cases;
    private static Outside outside;

    @BeforeAll
    static void readCorpus() throws IOException {
        cases = list(Vectors.read("client/attack_corpus.json"), "cases").stream().map(Vectors::members).toList();
        outside = new Outside();
    }

    @AfterAll
    static void close() throws IOException {
        outside.close();
    }

    @TestFactory
    Stream<DynamicTest> attackCorpus() {
        assertFalse(cases.isEmpty());
        return cases.stream().map(test -> DynamicTest.dynamicTest(
                test.get("id") + " " + test.get("kind") + ": " + test.get("name"), () -> run(test)));
    }

    private static void run(Map<String, Object> test) throws IOException {
        switch ((String) test.get("kind")) {
            case "credential_file" -> credentialFile(test);
            case "audience" -> audience(test);
            case "token_response", "redirect" -> tokenResponse(test);
            case "metadata_response" -> metadataResponse(test);
            case "jwks_response" -> jwksResponse(test);
            case "header_value" -> headerValue(test);
            default -> throw new AssertionError("an unknown kind");
        }
    }

    /** Accepted: the next that is needed is not there, the file with the subject token or the network. */
    private static void credentialFile(Map<String, Object> test) {
        Map<String, Object> environment = new HashMap<>(Map.of("HTTPS_PROXY", outside.url()));
        environment.putAll(test.containsKey("env") ? members(test.get("env")) : Map.of());
        TokenSource source = TokenSource.builder()
                .credentialsJson((String) test.get("input"))
                .environment(name -> (String) environment.get(name))
                .time(HandClock.hastyFrom(NOW).time())
                .build();
        outside.connections.set(0);
        ErrorCode code = failure(() -> source.fetchAccessToken(SCOPE)).code();
        if (accepted(test)) {
            boolean connected = outside.connections.get() > 0;
            assertEquals(connected ? ErrorCode.CONNECTION_FAILED : ErrorCode.SUBJECT_TOKEN_FAILED, code);
        } else {
            assertTrue(CODES.get(test.get("reason")).contains(code), code::toString);
            assertEquals(0, outside.connections.get());
        }
    }

    private static void audience(Map<String, Object> test) throws IOException {
        try (ScriptedServer server = new ScriptedServer(List.of())) {
            TokenSource source = metadata(server).clock(HandClock.stoppedAt(NOW)).build();
            ErrorCode code = failure(() -> source.fetchIdToken((String) test.get("input"))).code();
            if (accepted(test)) {
                String target = server.asked.get(0);
                assertTrue(target.contains("?" + test.get("wire") + "&"), target);
            } else {
                assertTrue(CODES.get(test.get("reason")).contains(code), code::toString);
                assertEquals(List.of(), server.asked);
            }
        }
    }

    /** The answer of a token endpoint, to a request for the kind of token that its body speaks of. */
    private static void tokenResponse(Map<String, Object> test) throws IOException {
        try (ScriptedServer server = new ScriptedServer(answers(test))) {
            assertOutcome(test, server, account(server));
        }
    }

    private static void metadataResponse(Map<String, Object> test) throws IOException {
        try (ScriptedServer server = new ScriptedServer(answers(test))) {
            assertOutcome(test, server, metadata(server));
        }
    }

    /**
     * A key set's life shows in when a caller waits for new keys: a day after its end. A token that none of the keys has
     * signed is refused until then, and nothing is asked.
     */
    private static void jwksResponse(Map<String, Object> test) throws IOException {
        try (ScriptedServer server = new ScriptedServer(List.of(test, test))) {
            HandClock clock = HandClock.stoppedAt(NOW);
            Verifier verifier = Verifier.builder().google().anyAudience()
                    .keysUrl(URI.create(server.url())).clock(clock).build();
            if (test.get("expected").equals("keep_old_keys")) {
                String token = unsigned("a");
                assertEquals(ErrorCode.KEYS_UNAVAILABLE, failure(() -> verifier.verify(token)).code());
                return;
            }
            Map<String, Object> keys = members(Json.read((String) test.get("body")));
            String kid = keys.get("keys") instanceof List<?> list
                    ? (String) members(list.get(0)).get("kid")
                    : keys.keySet().iterator().next();
            String token = unsigned(kid);
            Instant end = NOW.plusSeconds((Long) members(test.get("expected")).get("ttl")).plus(Duration.ofDays(1));
            for (Instant now : List.of(NOW, end.minusMillis(1))) {
                clock.set(now);
                assertEquals(ErrorCode.BAD_SIGNATURE, failure(() -> verifier.verify(token)).code());
                assertEquals(1, server.asked.size());
            }
            clock.set(end);
            assertEquals(ErrorCode.BAD_SIGNATURE, failure(() -> verifier.verify(token)).code());
            assertEquals(2, server.asked.size());
        }
    }

    /** A token of a key with this id, which has not signed it. */
    private static String unsigned(String kid) {
        byte[] header = Json.write(Map.of("alg", "RS256", "kid", kid));
        return Base64.getUrlEncoder().withoutPadding().encodeToString(header) + ".e30." + "AAAA".repeat(86);
    }

    private static void headerValue(Map<String, Object> test) throws IOException {
        Map<String, Object> token = Map.of("access_token", test.get("input"), "expires_in", 3599);
        Map<String, Object> answer = Map.of("status", 200L, "body", Utf8.text(Json.write(token)));
        try (ScriptedServer server = new ScriptedServer(List.of(answer))) {
            TokenSource source = account(server).clock(HandClock.stoppedAt(NOW)).build();
            if (accepted(test)) {
                assertEquals(test.get("input"), source.fetchAccessToken("a"));
            } else {
                failure(() -> source.fetchAccessToken("a"));
            }
        }
    }

    /** Fetches a token from a server that answers first as the case says. */
    private static void assertOutcome(Map<String, Object> test, ScriptedServer server, TokenSource.Builder builder) {
        HandClock clock = HandClock.stoppedAt(NOW);
        TokenSource source = builder.clock(clock).build();
        switch ((String) test.get("expected")) {
            case "token" -> {
                String token = fetch(test, source);
                Instant end = Instant.ofEpochSecond((Long) test.get("expires_at")).minus(LAST_MOMENTS);
                clock.set(end.minusMillis(1));
                assertEquals(token, fetch(test, source));
                clock.set(end);
                failure(() -> fetch(test, source));
            }
            case "token_short" -> {
                fetch(test, source);
                clock.set(NOW.plusSeconds(300));
                failure(() -> fetch(test, source));
            }
            case "retry" -> assertRetried(test, server, builder);
            case "retry_after_7" -> {
                assertRetried(test, server, builder);
                assertEquals(7000L, waitAfter(test, source));
            }
            case "fail", "fail_no_secret_in_message" -> {
                failure(() -> fetch(test, source));
                assertEquals(1, server.asked.size());
            }
            default -> throw new AssertionError("an unknown expectation");
        }
    }

    private static void assertRetried(
            Map<String, Object> test, ScriptedServer server, TokenSource.Builder builder) {
        fetch(test, builder.time(HandClock.hastyFrom(NOW).time()).build());
        assertEquals(2, server.asked.size());
    }

    /** Milliseconds for which the core waits after the case's answer. Nobody waits for it here, so this is asked at the border. */
    private static Object waitAfter(Map<String, Object> test, TokenSource source) {
        long now = NOW.toEpochMilli();
        Op op = (Op) source.lookup("id_token", AUDIENCE, now, now).op();
        op.resume(now, now, Map.of("reply", "start"));
        op.resume(now, now, Map.of("reply", "env", "values", Map.of()));
        List<List<Object>> headers = members(test.get("headers")).entrySet().stream()
                .map(header -> List.<Object>of(header.getKey(), header.getValue())).toList();
        Map<String, Object> step = op.resume(now, now, Map.of(
                "reply", "response", "status", test.get("status"), "headers", headers, "body", test.get("body")));
        op.cancel();
        return step.get("delay_ms");
    }

    private static String fetch(Map<String, Object> test, TokenSource source) {
        return isAccess(test) ? source.fetchAccessToken(SCOPE) : source.fetchIdToken(AUDIENCE);
    }

    /** What a server says in turn: what the case says, and if that is to be asked about again, a token. */
    private static List<Map<String, Object>> answers(Map<String, Object> test) {
        if (!((String) test.get("expected")).startsWith("retry")) {
            return List.of(test);
        }
        Map<String, Object> token = cases.stream()
                .filter(other -> other.get("kind").equals(test.get("kind")) && other.get("expected").equals("token"))
                .filter(other -> isAccess(other) == isAccess(test))
                .findFirst().orElseThrow();
        return List.of(test, token);
    }

    private static boolean isAccess(Map<String, Object> test) {
        return test.get("body") instanceof String body && body.contains("access_token");
    }

    private static boolean accepted(Map<String, Object> test) {
        return test.get("expected").equals("accept");
    }

    private static TokenSource.Builder metadata(ScriptedServer server) {
        return TokenSource.builder().environment(Map.of("GCE_METADATA_HOST", server.hostAndPort())::get);
    }

    /** The service account of the first case, with a token endpoint of its own. */
    private static TokenSource.Builder account(ScriptedServer server) {
        Map<String, Object> file =
                new HashMap<>(Json.readMembers(Utf8.bytes((String) cases.get(0).get("input"))));
        file.put("token_uri", server.url());
        return TokenSource.builder()
                .credentialsJson(Utf8.text(Json.write(file)))
                .trustedEndpoints(server.hostAndPort());
    }

    /** An exception of gatepass's own, that shows no token and no key. */
    private static GatepassException failure(Runnable call) {
        GatepassException failure = assertThrows(GatepassException.class, call::run);
        String shown = Secrets.shownBy(failure);
        assertFalse(SECRET.matcher(shown).find(), shown);
        return failure;
    }

    /** All hosts beyond this one: a proxy that counts connections and hangs up. */
    private static final class Outside {
        final AtomicInteger connections = new AtomicInteger();
        private final ServerSocket proxy = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());

        Outside() throws IOException {
            Thread thread = new Thread(this::hangUp);
            thread.setDaemon(true);
            thread.start();
        }

        String url() {
            return "http://127.0.0.1:" + proxy.getLocalPort();
        }

        private void hangUp() {
            try {
                while (true) {
                    try (Socket connection = proxy.accept()) {
                        connections.incrementAndGet();
                    }
                }
            } catch (IOException closed) {
                return;
            }
        }

        void close() throws IOException {
            proxy.close();
        }
    }
}
