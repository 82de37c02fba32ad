package dev.gatepass;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatepass.json.Json;
import dev.gatepass.json.Utf8;
import dev.gatepass.testing.Emulator;
import java.io.IOException;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokens of the emulator, checked with the keys that it publishes. */
class VerifierTest {
    private static final String AUDIENCE = "https://orders.example";
    private static final String CALLER = "caller@project.iam.gserviceaccount.com";

    private Emulator emulator;
    private Verifier verifier;

    @BeforeEach
    void start() {
        emulator = Emulators.fresh();
        verifier = google().build();
    }

    @Test
    void claimsAreReadAsTheyAre() {
        String token = emulator.mint(Map.of("claims", Map.of(
                "aud", AUDIENCE, "email", CALLER, "exp", 4_000_000_000.5,
                "nested", Map.of("list", List.of(1, "two", 3.5)))));
        Claims claims = google().clock(HandClock.stopped()).build().verify(token);
        assertEquals("https://accounts.google.com", claims.issuer());
        assertEquals(claims.get("sub"), claims.subject());
        assertEquals(claims.subject(), claims.getName());
        assertEquals(List.of(AUDIENCE), claims.audiences());
        assertEquals(CALLER, claims.email());
        assertTrue(claims.emailVerified());
        assertEquals(Instant.ofEpochMilli(4_000_000_000_500L), claims.expiresAt());
        assertEquals(claims.get("iat"), claims.issuedAt().getEpochSecond());
        assertEquals(Map.of("list", List.of(1L, "two", 3.5)), claims.get("nested"));
        assertNull(claims.get("no such claim"));
        assertEquals(claims.asMap(), Json.read(claims.toJson()));
        assertThrows(UnsupportedOperationException.class, () -> claims.asMap().clear());
    }

    @Test
    void keysOfOneUrlAreFetchedOnceForAllVerifiers() {
        URI own = URI.create(emulator.keysUrl() + "?" + System.nanoTime()); // Nobody has asked for these before.
        for (int each = 0; each < 10; each++) {
            String audience = AUDIENCE + "/" + each;
            Verifier.builder().audience(audience).keysUrl(own).build().verify(mint(Map.of("aud", audience)));
        }
        assertEquals(1, emulator.requests(Emulators.KEYS));
        // With a clock of its own a verifier lives in another world.
        Verifier.builder().audience(AUDIENCE).keysUrl(own).clock(Clock.systemUTC()).build().verify(mint(Map.of()));
        assertEquals(2, emulator.requests(Emulators.KEYS));
    }

    @Test
    void withoutAKindOfSenderItIsAnyTokenOfGoogles() {
        Verifier open = Verifier.builder().audience(AUDIENCE).keysUrl(emulator.keysUrl()).build();
        assertEquals(CALLER, open.verify(mint(Map.of("email", CALLER))).email());
        assertEquals(ErrorCode.BAD_ISSUER, assertThrows(VerifyException.class,
                () -> open.verify(mint(Map.of("iss", "https://issuer.example")))).code());
    }

    @Test
    void anErrorSaysWhatWasFoundAndWhatWasExpected() {
        VerifyException wrong = assertThrows(VerifyException.class,
                () -> verifier.verify(mint(Map.of("aud", "https://other.example"))));
        assertEquals("aud", wrong.claim());
        assertEquals(GatepassException.Reason.MISMATCH, wrong.reason());
        assertEquals(List.of("https://other.example"), wrong.found());
        assertEquals(List.of(AUDIENCE), wrong.expected());
        Map<String, Object> invalid = Json.members();
        invalid.putAll(Map.of("code", "INVALID_OPTION", "kind", "usage", "retryable", false,
                "message", "`allowed_emails` and `any_caller`, not `keys` of snake_case",
                "refusal", Map.of("status", 500L, "headers", List.of(), "body", "{}"),
                "grpc", Map.of("code", 13L, "message", "", "details", ""), "grpc_call_code", 16L));
        assertEquals("`allowedEmails` and `anyCaller`, not `keys` of snake_case", Failures.of(invalid).getMessage());
    }

    @Test
    void headersComeInAnyMapping() {
        String token = "Bearer " + mint(Map.of("email", CALLER));
        for (Map<String, ?> headers : List.<Map<String, ?>>of(
                Map.of("Authorization", token), Map.of("AUTHORIZATION", List.of(token)),
                Map.of("authorization", new String[] {token}, "Host", List.of("orders.example")))) {
            assertEquals(CALLER, verifier.verifyRequest(headers).email());
        }
        assertEquals(CALLER, verifier.verifyRequest(name ->
                name.equals("authorization") ? Collections.enumeration(List.of(token)) : null).email());
        for (Map<String, ?> headers : List.<Map<String, ?>>of(
                Map.of("Authorization", List.of(token, token)), Map.of("Authorization", token, "authorization", token))) {
            assertEquals(ErrorCode.TOKEN_MALFORMED,
                    assertThrows(VerifyException.class, () -> verifier.verifyRequest(headers)).code());
        }
        assertEquals(ErrorCode.TOKEN_MISSING,
                assertThrows(VerifyException.class, () -> verifier.verifyRequest(Map.of())).code());
        IllegalArgumentException number = assertThrows(IllegalArgumentException.class,
                () -> verifier.verifyRequest(Map.of("Authorization", 7)));
        assertTrue(number.getMessage().contains("Authorization") && number.getMessage().contains("Integer"),
                number::getMessage);
    }

    @Test
    void nullIsRefusedByTheNameOfTheArgument() {
        Map<String, Executable> calls = Map.of(
                "token", () -> verifier.verify(null),
                "headers", () -> verifier.verifyRequest((Map<String, ?>) null),
                "audience", () -> Verifier.google(null),
                "audiences", () -> Verifier.builder().audiences("a", null),
                "emails", () -> Verifier.builder().allowedEmails((String[]) null),
                "url", () -> Verifier.builder().keysUrl(null),
                "scopes", () -> TokenSource.applicationDefault().fetchAccessToken("a", null),
                "file", () -> TokenSource.builder().credentialsFile(null));
        calls.forEach((name, call) ->
                assertEquals(name, assertThrows(NullPointerException.class, call).getMessage()));
        assertEquals("audience", assertThrows(NullPointerException.class,
                () -> TokenSource.applicationDefault().fetchIdToken(null)).getMessage());
    }

    @Test
    void claimsAreReadOnce() {
        String token = mint(Map.of());
        Claims claims = verifier.verify(token);
        assertSame(claims, verifier.verify(token));
        assertSame(claims, verifier.verifyAsync(token).join());
        assertEquals(claims.asMap(), google().build().verify(token).asMap());
    }

    @Test
    void claimsThatWereDroppedAreReadAgain() {
        String token = mint(Map.of());
        Claims claims = verifier.verify(token);
        verifier.memory.put(new Claims(Utf8.bytes("{}"), false, claims.entry() + Limits.PLACES));
        Claims again = verifier.verify(token);
        assertNotSame(claims, again);
        assertEquals(claims.toJson(), again.toJson());
        assertSame(again, verifier.verify(token));
    }

    @Test
    void aTokenOfAnyLengthIsRememberedAsItIs() {
        String token = mint(Map.of("padding", "x".repeat(8_000)));
        Claims claims = verifier.verify(token);
        assertEquals("x".repeat(8_000), claims.get("padding"));
        assertSame(claims, verifier.verify(token));
        assertRefused(ErrorCode.BAD_SIGNATURE, null, mint(Map.of("padding", "y".repeat(8_000)))
                .replaceFirst("[^.]*$", token.substring(token.lastIndexOf('.') + 1)));
    }

    @ParameterizedTest
    @ValueSource(ints = {0x80, 0x100, 0x2000, 0xff00})
    void charactersWithTheLowBitsOfARememberedTokenAreNotThatToken(int highBits) {
        String token = mint(Map.of());
        verifier.verify(token);
        char other = (char) (token.charAt(40) | highBits);
        assertRefused(ErrorCode.TOKEN_MALFORMED, null, token.substring(0, 40) + other + token.substring(41));
        String others = token.chars().mapToObj(each -> String.valueOf((char) (each | highBits)))
                .collect(Collectors.joining());
        assertRefused(ErrorCode.TOKEN_MALFORMED, null, others);
    }

    @Test
    void refusalsSayWhy() {
        assertRefused(ErrorCode.BAD_AUDIENCE, "aud", mint(Map.of("aud", "https://other.example")));
        assertRefused(ErrorCode.BAD_ISSUER, "iss", mint(Map.of("iss", "https://issuer.example")));
        assertRefused(ErrorCode.TOKEN_EXPIRED, "exp", emulator.mint(Map.of(
                "claims", Map.of("aud", AUDIENCE), "issued_at", Instant.now().getEpochSecond() - 7200)));
        assertRefused(ErrorCode.MISSING_CLAIM, "sub", emulator.mint(Map.of(
                "claims", Map.of("aud", AUDIENCE), "omit", List.of("sub"))));
        assertRefused(ErrorCode.SIGNATURE_STRIPPED, null, emulator.mint(Map.of(
                "claims", Map.of("aud", AUDIENCE), "strip_signature", true)));
        String token = mint(Map.of());
        assertRefused(ErrorCode.BAD_SIGNATURE, null,
                token.substring(0, token.lastIndexOf('.') + 1) + mint(Map.of("sub", "other")).split("\\.")[2]);
        assertRefused(ErrorCode.TOKEN_MALFORMED, null, "");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\0", "a.b.c", "\ud83d\ude80", "\ud800", "..", "é.é.é"})
    void nonsenseIsRefusedByOurOwnException(String token) {
        assertThrows(VerifyException.class, () -> verifier.verify(token));
        assertThrows(VerifyException.class, () -> Futures.await(verifier.verifyAsync(token)));
        CompletionException asynchronous =
                assertThrows(CompletionException.class, () -> verifier.verifyAsync(token).join());
        assertTrue(asynchronous.getCause() instanceof VerifyException);
    }

    @Test
    void onlyAllowedEmailsPass() {
        Verifier strict = google().allowedEmails(CALLER, "other@example.com").build();
        assertEquals(CALLER, strict.verify(mint(Map.of("email", CALLER))).email());
        assertEquals(ErrorCode.EMAIL_NOT_ALLOWED, assertThrows(VerifyException.class,
                () -> strict.verify(mint(Map.of("email", "x@example.com")))).code());
        assertEquals(ErrorCode.EMAIL_NOT_VERIFIED, assertThrows(VerifyException.class,
                () -> strict.verify(mint(Map.of("email", CALLER, "email_verified", false)))).code());
    }

    @Test
    void onlyAllowedSubjectsPass() {
        Verifier strict = google().allowedSubjects("1234", "5678").build();
        assertEquals("5678", strict.verify(mint(Map.of("sub", "5678"))).subject());
        assertEquals(ErrorCode.SUBJECT_NOT_ALLOWED, assertThrows(VerifyException.class,
                () -> strict.verify(mint(Map.of("sub", "567")))).code());
        Verifier stricter = google().allowedSubjects("1234").allowedEmails(CALLER).build();
        assertEquals(ErrorCode.EMAIL_NOT_ALLOWED, assertThrows(VerifyException.class,
                () -> stricter.verify(mint(Map.of("sub", "1234", "email", "x@example.com")))).code());
    }

    @Test
    void everyKindOfSenderHasAMethod() {
        GatepassException unknown = assertThrows(GatepassException.class,
                () -> KeyCache.shared().open(Map.of("preset", "none of them"), Time.SYSTEM));
        String known = unknown.getMessage().replaceFirst("(?s).*expected one of ([a-z_, ]+).*", "$1").strip();
        Set<String> methods = Arrays.stream(Verifier.Builder.class.getMethods())
                .map(method -> method.getName().toLowerCase(Locale.ROOT)).collect(Collectors.toSet());
        for (String name : known.split(", ")) {
            assertTrue(methods.contains(name.replace("_", "")), name);
        }
    }

    @Test
    void sendersWantToBeNamed() {
        List<UnaryOperator<Verifier.Builder>> senders = List.of(
                Verifier.Builder::cloudRun, Verifier.Builder::pubSub, Verifier.Builder::cloudTasks,
                Verifier.Builder::cloudScheduler, Verifier.Builder::eventarc);
        for (UnaryOperator<Verifier.Builder> sender : senders) {
            assertInvalid(sender.apply(google()));
            assertInvalid(sender.apply(google()).allowedEmails());
            assertInvalid(sender.apply(google()).allowedEmails(CALLER).anyCaller());
            String token = mint(Map.of("email", CALLER));
            assertEquals(CALLER, sender.apply(google()).allowedEmails(CALLER).build().verify(token).email());
            assertEquals(CALLER, sender.apply(google()).anyCaller().build().verify(token).email());
        }
    }

    @Test
    void usersOfFirebase() {
        Verifier firebase = Verifier.builder().firebase().audience("demo").keysUrl(emulator.keysUrl()).build();
        String issuer = "https://securetoken.google.com/";
        assertEquals("person", firebase.verify(
                mint(Map.of("iss", issuer + "demo", "aud", "demo", "sub", "person"))).subject());
        assertEquals(ErrorCode.BAD_ISSUER, assertThrows(VerifyException.class,
                () -> firebase.verify(mint(Map.of("iss", issuer + "other", "aud", "demo")))).code());
        assertInvalid(Verifier.builder().firebase().audiences("demo", "other"));
    }

    @Test
    void aTokenWithoutItsSignatureIsMarked() {
        String stripped = emulator.mint(Map.of(
                "claims", Map.of("aud", AUDIENCE, "email", CALLER), "strip_signature", true));
        Verifier trusting = google().trustCloudRunAndSkipSignature().environment(onCloudRun()).build();
        Claims claims = trusting.verify(stripped);
        assertEquals(CALLER, claims.email());
        assertTrue(claims.isUnverified());
        assertTrue(claims.toString().startsWith("Claims (unverified) ["), claims::toString);
        Claims proven = trusting.verify(mint(Map.of("email", CALLER)));
        assertFalse(proven.isUnverified());
        assertTrue(proven.toString().startsWith("Claims ["), proven::toString);
    }

    @Test
    void onlyCloudRunIsTrusted() {
        assertInvalid(google().trustCloudRunAndSkipSignature().environment(name -> null));
        assertInvalid(Verifier.builder().iap().audience("/projects/1/global/backendServices/2")
                .trustCloudRunAndSkipSignature().environment(onCloudRun()));
    }

    @Test
    void assertionsOfIdentityAwareProxy() {
        String audience = "/projects/1/global/backendServices/2";
        Verifier iap = Verifier.builder().iap().audience(audience).keysUrl(emulator.url().resolve("/iap/verify/public_key-jwk")).build();
        String assertion = emulator.mint(Map.of("key", "iap", "claims", Map.of("aud", audience)));
        Claims claims = iap.verifyRequest(Map.of("X-Goog-IAP-JWT-Assertion", assertion));
        assertEquals(List.of(audience), claims.audiences());
        assertEquals(ErrorCode.TOKEN_MISSING, assertThrows(VerifyException.class,
                () -> iap.verifyRequest(Map.of("Authorization", "Bearer " + assertion))).code());
    }

    @Test
    void anyIssuerAnyAudience() {
        Verifier open = Verifier.builder()
                .issuers("https://issuer.example").algorithms("RS256").keysUrl(emulator.keysUrl())
                .anyAudience().build();
        Claims claims = open.verify(mint(Map.of("iss", "https://issuer.example", "aud", "anybody")));
        assertEquals(List.of("anybody"), claims.audiences());
    }

    @Test
    void keysThatCannotBeHadAreNoVerdict() throws IOException {
        Verifier cut = Verifier.builder().google().audience(AUDIENCE)
                .keysUrl(URI.create("http://" + BadInputTest.hostAndPortOfNobody() + "/keys"))
                .time(HandClock.hasty().time()).build();
        VerifyException failure = assertThrows(VerifyException.class, () -> cut.verify(mint(Map.of())));
        assertEquals(ErrorCode.KEYS_UNAVAILABLE, failure.code());
        assertTrue(failure.retryable());
        assertEquals(503, failure.refusal().status());
    }

    @Test
    void optionsThatDoNotFitAreRefused() {
        assertInvalid(Verifier.builder().google());
        assertInvalid(google().keys("{\"keys\":[]}"));
        assertInvalid(Verifier.builder().google().audience(AUDIENCE).algorithms("none"));
        assertInvalid(Verifier.builder().google().audience(AUDIENCE).leeway(Duration.ofDays(1)));
        Verifier.Builder negative = Verifier.builder().google().audience(AUDIENCE).leeway(Duration.ofSeconds(-1));
        assertInvalid(negative);
        String message = assertThrows(GatepassException.class, negative::build).getMessage();
        assertTrue(message.startsWith("`leeway` does not fit"), message);
    }

    @Test
    void theOneLineVerifiersAreShared() {
        assertSame(Verifier.google(AUDIENCE), Verifier.google(AUDIENCE));
        assertNotSame(Verifier.google(AUDIENCE), Verifier.google("https://other.example"));
        assertNotSame(Verifier.google(AUDIENCE), Verifier.iap("/projects/1/global/backendServices/2"));
    }

    private Verifier.Builder google() {
        return Verifier.builder().google().audience(AUDIENCE).keysUrl(emulator.keysUrl());
    }

    private static UnaryOperator<String> onCloudRun() {
        return Map.of("K_SERVICE", "orders")::get;
    }

    private String mint(Map<String, Object> claims) {
        Map<String, Object> all = new HashMap<>(claims);
        all.putIfAbsent("aud", AUDIENCE);
        return emulator.mint(Map.of("claims", all));
    }

    private void assertRefused(ErrorCode code, String claim, String token) {
        VerifyException refused = assertThrows(VerifyException.class, () -> verifier.verify(token));
        assertEquals(code, refused.code(), refused::toString);
        assertFalse(refused.retryable());
        assertEquals(claim, refused.claim());
        assertTrue(token.isEmpty() || !refused.toString().contains(token), refused::toString);
    }

    private static void assertInvalid(Verifier.Builder builder) {
        GatepassException error = assertThrows(GatepassException.class, builder::build);
        assertEquals(ErrorCode.INVALID_OPTION, error.code(), error::toString);
    }
}
