package dev.gatepass;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatepass.json.Utf8;
import dev.gatepass.testing.Emulator;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokens from the emulator, by every way that leads to one. */
class TokenSourceTest {
    private static final String AUDIENCE = "https://orders.example";
    private static final String ACCOUNT = "caller@project.iam.gserviceaccount.com";

    private Emulator emulator;

    @BeforeEach
    void start() {
        emulator = Emulators.fresh();
    }

    @Test
    void anIdTokenFromTheMetadataServerIsFetchedOnce() {
        TokenSource source = emulator.tokenSource().build();
        String token = source.fetchIdToken(AUDIENCE);
        assertEquals(List.of(AUDIENCE), verify(token).audiences());
        assertEquals(token, source.fetchIdToken(AUDIENCE));
        assertEquals(token, source.fetchIdTokenAsync(AUDIENCE).join());
        assertEquals("Bearer " + token, source.fetchIdTokenHeader(AUDIENCE));
        assertEquals(1, emulator.requests(Emulators.IDENTITY));
    }

    @Test
    void anIdTokenByAKeyIsTheAccounts() {
        String token = emulator.account(ACCOUNT).build().fetchIdTokenAsync(AUDIENCE).join();
        Claims claims = verify(token);
        assertEquals(ACCOUNT, claims.email());
        assertEquals(List.of(AUDIENCE), claims.audiences());
        assertEquals(1, emulator.requests("/token"));
    }

    @Test
    void aKeyFileMayBeGivenByItsPath(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("key \u20ac.json"), emulator.credentialFile("--email", ACCOUNT));
        TokenSource source =
                TokenSource.builder().credentialsFile(file).trustedEndpoints(emulator.url().getAuthority()).build();
        assertEquals(ACCOUNT, verify(source.fetchIdToken(AUDIENCE)).email());
    }

    @Test
    void accessTokensAreKeptByTheirScopes() {
        TokenSource source = emulator.tokenSource().build();
        String token = source.fetchAccessToken("https://scope.example/a", "https://scope.example/b");
        assertFalse(token.isEmpty());
        assertEquals(token, source.fetchAccessTokenAsync("https://scope.example/b", "https://scope.example/a").join());
        assertEquals(1, emulator.requests("/computeMetadata/v1/instance/service-accounts/default/token"));
        source.fetchAccessToken("https://scope.example/a");
        assertEquals(2, emulator.requests("/computeMetadata/v1/instance/service-accounts/default/token"));
    }

    @Test
    void aKeySignsForItselfAndAsksNobody() {
        TokenSource source = emulator.account(ACCOUNT).selfSignedAccessTokens().build();
        String token = source.fetchSelfSignedJwt("https://pubsub.googleapis.com/");
        assertEquals(token, source.fetchSelfSignedJwtAsync("https://pubsub.googleapis.com/").join());
        assertNotEquals(token, source.fetchAccessToken("https://scope.example/a"));
        assertEquals(Set.of(), emulator.paths());
        TokenSource keyless = emulator.tokenSource().build();
        GatepassException refused = assertThrows(
                CredentialsException.class, () -> keyless.fetchSelfSignedJwt("https://pubsub.googleapis.com/"));
        assertEquals(ErrorCode.SELF_SIGNED_JWT_UNSUPPORTED, refused.code());
    }

    @Test
    void theProjectThatIsBilledIsKnownOnceATokenIs() {
        TokenSource source = emulator.tokenSource().quotaProjectId("billed").build();
        source.fetchAccessToken("https://scope.example/a");
        assertEquals(Map.of("x-goog-user-project", "billed"), source.accessTokenHeaders());
    }

    @Test
    void aSourceKnowsWhoItIsAndSigns() throws Exception {
        Principal onMachine = emulator.tokenSource().build().fetchPrincipal();
        assertEquals("default@emulator.iam.gserviceaccount.com", onMachine.email());
        assertEquals("emulator", onMachine.projectId());
        TokenSource account = emulator.account(ACCOUNT).build();
        assertEquals(ACCOUNT, account.fetchPrincipal().email());
        emulator.reset();
        byte[] bytes = Utf8.bytes("what is signed");
        SignedBytes byKey = account.signBytes(bytes);
        assertEquals(Set.of(), emulator.paths());
        SignedBytes byIam = emulator.tokenSource().impersonate(ACCOUNT).build().signBytes(bytes);
        assertArrayEquals(byKey.signature(), byIam.signature());
        assertEquals(256, byKey.signature().length);
        assertEquals("SignedBytes[" + byKey.keyId() + "]", byKey.toString());
        assertThrows(GatepassException.class, () -> emulator.tokenSource(
                emulator.credentialFile("--type", "authorized_user", "--email", "person@example.com"))
                .build().signBytes(bytes));
    }

    @Test
    void optionsReachTheCore() {
        assertRefused(ErrorCode.CREDENTIALS_TYPE_UNEXPECTED, emulator.account(ACCOUNT).expectType("metadata"));
        assertRefused(ErrorCode.SUBJECT_UNSUPPORTED, emulator.tokenSource().subject("person@example.com"));
    }

    @Test
    void aStaleTokenIsServedWhileItIsRefreshedBehindTheCaller() throws Exception {
        try (HoldingServer endpoint = new HoldingServer()) {
            HandClock clock = HandClock.stopped();
            TokenSource source = metadataAt(endpoint).clock(clock).build();
            var first = source.fetchIdTokenAsync(AUDIENCE);
            String old = answerWithToken(endpoint, clock.instant());
            assertEquals(old, first.join());

            clock.advance(Duration.ofMinutes(59)); // Of an hour.
            assertEquals(old, source.fetchIdToken(AUDIENCE));
            String young = answerWithToken(endpoint, clock.instant());
            assertNotEquals(old, young);
            String served = old;
            while (served.equals(old)) { // The new one is on its way; JUnit's timeout bounds this.
                served = source.fetchIdToken(AUDIENCE);
                Thread.onSpinWait();
            }
            assertEquals(young, served);
            assertEquals(2, endpoint.count());
        }
    }

    @Test
    void aBackgroundRefreshThatFailsHurtsNobody() throws Exception {
        try (HoldingServer endpoint = new HoldingServer()) {
            HandClock clock = HandClock.stopped();
            TokenSource source = metadataAt(endpoint).clock(clock).build();
            var first = source.fetchIdTokenAsync(AUDIENCE);
            String old = answerWithToken(endpoint, clock.instant());
            first.join();

            clock.advance(Duration.ofMinutes(59));
            assertEquals(old, source.fetchIdToken(AUDIENCE));
            HoldingServer.answer(endpoint.next(), 404, "text/html", "no such account");
            assertEquals(old, source.fetchIdToken(AUDIENCE));
        }
    }

    @Test
    void aTokenThatIsRefusedAsSoonAsItArrivesIsNotKept() throws Exception {
        try (HoldingServer endpoint = new HoldingServer()) {
            TokenSource source = metadataAt(endpoint).build();
            // Whoever waits for a token is told of it on the thread that has fetched it, which keeps it as well.
            var fetching = source.fetchIdTokenInfoAsync(AUDIENCE).thenApply(token -> {
                assertTrue(source.invalidate(token));
                return Thread.currentThread();
            });
            answerWithToken(endpoint, Instant.now());
            Thread fetcher = fetching.join();
            while (fetcher.getState() == Thread.State.RUNNABLE) { // JUnit's timeout bounds this.
                Thread.onSpinWait();
            }
            var next = source.fetchIdTokenAsync(AUDIENCE);
            String another = answerWithToken(endpoint, Instant.now());
            assertEquals(another, next.join());
            assertEquals(2, endpoint.count());
        }
    }

    @Test
    void anAudienceThatIsNoneIsRefused() {
        TokenSource source = emulator.tokenSource().build();
        GatepassException refused = assertThrows(GatepassException.class, () -> source.fetchIdToken(""));
        assertEquals(ErrorCode.INVALID_AUDIENCE, refused.code());
        assertThrows(NullPointerException.class, () -> source.fetchIdToken(null));
        assertEquals("token", assertThrows(NullPointerException.class, () -> source.invalidate(null)).getMessage());
    }

    @Test
    void theAudienceOfAUrlIsTheCores() {
        assertEquals(
                "https://orders-abc-uc.a.run.app",
                Gatepass.audienceForUrl(URI.create("https://tag---orders-abc-uc.a.run.app/path?x=1")));
        GatepassException refused = assertThrows(
                GatepassException.class, () -> Gatepass.audienceForUrl(URI.create("http://orders.example")));
        assertEquals(ErrorCode.INVALID_AUDIENCE, refused.code());
    }

    private static void assertRefused(ErrorCode code, TokenSource.Builder builder) {
        TokenSource source = builder.build();
        GatepassException refused = assertThrows(
                GatepassException.class, () -> source.fetchAccessToken("https://scope.example/a"));
        assertEquals(code, refused.code(), refused::toString);
    }

    /** A source whose metadata server is the test. */
    static TokenSource.Builder metadataAt(HoldingServer endpoint) {
        return TokenSource.builder().environment(Map.of("GCE_METADATA_HOST", endpoint.hostAndPort())::get);
    }

    /** Answers the next request for an ID token with one that lives for an hour. */
    static String answerWithToken(HoldingServer endpoint, Instant issuedAt) throws Exception {
        String token = Emulators.fresh().mint(Map.of(
                "claims", Map.of("aud", AUDIENCE), "issued_at", issuedAt.getEpochSecond(), "lifetime", 3600));
        HoldingServer.answer(endpoint.next(), 200, "text/html", token);
        return token;
    }

    private Claims verify(String token) {
        return Verifier.builder().google().audience(AUDIENCE).keysUrl(emulator.keysUrl()).build().verify(token);
    }
}
