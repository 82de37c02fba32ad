package dev.gatepass;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import dev.gatepass.testing.Emulator;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Requests to a real server carry a token. */
class IdTokenClientTest {
    private static final String AUDIENCE = "https://orders.example";

    private Emulator emulator;
    private HoldingServer receiver;

    @BeforeEach
    void start() throws IOException {
        emulator = Emulators.fresh();
        receiver = new HoldingServer();
    }

    @AfterEach
    void stop() {
        receiver.close();
    }

    @Test
    void aRequestCarriesATokenForTheGivenAudience() throws Exception {
        HttpClient client = IdTokenClient.builder().source(emulator.tokenSource().build()).audience(AUDIENCE).build();
        HttpRequest request = HttpRequest.newBuilder(receiver.url())
                .header("authorization", "Basic of-another-time").header("X-Kept", "yes")
                .PUT(BodyPublishers.ofString("body")).build();
        CompletableFuture<HttpResponse<String>> sending = client.sendAsync(request, BodyHandlers.ofString());
        HttpExchange received = receiver.next();
        assertEquals(List.of(AUDIENCE), verify(received, AUDIENCE).audiences());
        assertEquals("yes", received.getRequestHeaders().getFirst("X-Kept"));
        assertEquals("PUT", received.getRequestMethod());
        HoldingServer.answer(received, 200, "text/plain", "welcome");
        assertEquals("welcome", sending.join().body());
        assertFalse(request.headers().map().toString().contains("Bearer"));
    }

    @Test
    void theAudienceIsToldFromTheUrl() throws Exception {
        IdTokenClient client = IdTokenClient.builder().source(emulator.tokenSource().build()).build();
        String origin = "http://" + receiver.hostAndPort();
        CompletableFuture<Integer> status = CompletableFuture.supplyAsync(() -> {
            try {
                HttpRequest request = HttpRequest.newBuilder(URI.create(origin + "/path?query")).build();
                return client.send(request, BodyHandlers.discarding()).statusCode();
            } catch (IOException | InterruptedException error) {
                throw new AssertionError(error);
            }
        });
        HttpExchange received = receiver.next();
        assertEquals(List.of(origin), verify(received, origin).audiences());
        HoldingServer.answer(received, 204, "text/plain", "");
        assertEquals(204, status.join());
    }

    @Test
    void aRedirectIsNotFollowed() throws Exception {
        IdTokenClient client = IdTokenClient.builder().source(emulator.tokenSource().build()).audience(AUDIENCE).build();
        try (HoldingServer elsewhere = new HoldingServer()) {
            var sending = client.sendAsync(HttpRequest.newBuilder(receiver.url()).build(), BodyHandlers.discarding());
            HttpExchange received = receiver.next();
            received.getResponseHeaders().set("Location", elsewhere.url().toString());
            HoldingServer.answer(received, 302, "text/plain", "");
            assertEquals(302, sending.join().statusCode());
            assertEquals(0, elsewhere.count());
        }
        assertEquals(Redirect.NEVER, client.followRedirects());
    }

    @Test
    void aClientThatWouldTakeTheTokenAlongIsRefused() {
        for (Redirect redirect : List.of(Redirect.NORMAL, Redirect.ALWAYS)) {
            HttpClient http = HttpClient.newBuilder().followRedirects(redirect).build();
            IdTokenClient.Builder builder = IdTokenClient.builder();
            assertThrows(IllegalArgumentException.class, () -> builder.httpClient(http));
        }
    }

    @Test
    void aHundredRequestsMakeOneFetch() throws Exception {
        IdTokenClient client = IdTokenClient.builder().source(emulator.tokenSource().build()).audience(AUDIENCE).build();
        HttpRequest request = HttpRequest.newBuilder(receiver.url()).build();
        var sending = Stream.generate(() -> client.sendAsync(request, BodyHandlers.discarding())).limit(100).toList();
        for (int each = 0; each < 100; each++) {
            HoldingServer.answer(receiver.next(), 204, "text/plain", "");
        }
        sending.forEach(response -> assertEquals(204, response.join().statusCode()));
        assertEquals(1, emulator.requests(Emulators.IDENTITY));
    }

    @Test
    void aTokenThatCannotBeHadIsOurException() {
        IdTokenClient client = IdTokenClient.builder()
                .source(TokenSource.builder().credentialsJson("no JSON").build()).audience(AUDIENCE).build();
        HttpRequest request = HttpRequest.newBuilder(receiver.url()).build();
        assertThrows(CredentialsException.class, () -> client.send(request, BodyHandlers.discarding()));
        assertTrue(assertThrows(CompletionException.class,
                () -> client.sendAsync(request, BodyHandlers.discarding()).join())
                .getCause() instanceof CredentialsException);
        assertEquals(0, receiver.count());
    }

    @Test
    void aUrlThatTellsNoAudienceIsOurException() {
        IdTokenClient client = IdTokenClient.builder().source(emulator.tokenSource().build()).build();
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://orders.example/")).build();
        assertThrows(GatepassException.class, () -> client.send(request, BodyHandlers.discarding()));
        var sending = client.sendAsync(request, BodyHandlers.discarding());
        assertTrue(assertThrows(CompletionException.class, sending::join).getCause() instanceof GatepassException);
    }

    @Test
    void noTokenTravelsOverPlainHttp() {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://plain.example/")).build();
        for (HttpClient client : List.<HttpClient>of(
                IdTokenClient.builder().source(emulator.tokenSource().build()).audience(AUDIENCE).build(),
                AccessTokenClient.builder().source(emulator.tokenSource().build()).build())) {
            GatepassException refused =
                    assertThrows(GatepassException.class, () -> client.send(request, BodyHandlers.discarding()));
            assertTrue(refused.getMessage().contains("`allowPlainHttp`") || refused.getMessage().contains("https"),
                    refused::getMessage);
            assertThrows(CompletionException.class, () -> client.sendAsync(request, BodyHandlers.discarding()).join());
        }
        assertEquals(Set.of(), emulator.paths());
    }

    @Test
    void plainHttpNeedsAnOption() throws Exception {
        HttpClient client = IdTokenClient.builder().source(emulator.tokenSource().build()).audience(AUDIENCE)
                .allowPlainHttp()
                .httpClient(HttpClient.newBuilder().proxy(ProxySelector.of(
                        new InetSocketAddress("127.0.0.1", receiver.url().getPort()))).build())
                .build();
        var sending = client.sendAsync(
                HttpRequest.newBuilder(URI.create("http://plain.example/")).build(), BodyHandlers.discarding());
        HttpExchange received = receiver.next();
        assertEquals(List.of(AUDIENCE), verify(received, AUDIENCE).audiences());
        HoldingServer.answer(received, 204, "text/plain", "");
        assertEquals(204, sending.join().statusCode());
    }

    @ParameterizedTest
    @EnumSource
    void theTokenIsInTheHeaderThatIsWanted(TokenHeader header) throws Exception {
        HttpClient client = IdTokenClient.builder().source(emulator.tokenSource().build()).audience(AUDIENCE)
                .tokenHeader(header).build();
        HttpRequest request =
                HttpRequest.newBuilder(receiver.url()).header("Authorization", "Basic of-the-application").build();
        var sending = client.sendAsync(request, BodyHandlers.discarding());
        HttpExchange received = receiver.next();
        HoldingServer.answer(received, 204, "text/plain", "");
        sending.join();
        String own = received.getRequestHeaders().getFirst("Authorization");
        String serverless = received.getRequestHeaders().getFirst("X-Serverless-Authorization");
        assertEquals(header != TokenHeader.X_SERVERLESS_AUTHORIZATION, own.startsWith("Bearer ey"));
        assertEquals(header != TokenHeader.AUTHORIZATION, serverless != null && serverless.startsWith("Bearer ey"));
    }

    @Test
    void aRefusedTokenIsReplacedAndTheRequestRepeatedOnce() throws Exception {
        TokenSource source = emulator.account("caller@project.iam.gserviceaccount.com").build();
        HttpClient client = IdTokenClient.builder().source(source).audience(AUDIENCE).build();
        HttpRequest request = HttpRequest.newBuilder(receiver.url()).POST(BodyPublishers.ofString("body")).build();
        var sending = client.sendAsync(request, BodyHandlers.ofString());
        HttpExchange first = receiver.next();
        assertEquals(1, emulator.requests("/token"));
        emulator.setClockOffset(Duration.ofSeconds(1)); // Tokens of one second are equal.
        HoldingServer.answer(first, 401, "text/plain", "no");
        HttpExchange second = receiver.next();
        HoldingServer.answer(second, 200, "text/plain", "welcome");
        assertEquals("welcome", sending.join().body());
        assertEquals(2, emulator.requests("/token"));
        assertTrue(verify(first, AUDIENCE).issuedAt().isBefore(verify(second, AUDIENCE).issuedAt()));
        // Within a minute the next token is not replaced as well.
        var refused = CompletableFuture.supplyAsync(() -> {
            try {
                return client.send(request, BodyHandlers.ofString());
            } catch (IOException | InterruptedException error) {
                throw new AssertionError(error);
            }
        });
        HoldingServer.answer(receiver.next(), 401, "text/plain", "no");
        assertEquals("no", refused.join().body());
        assertEquals(2, emulator.requests("/token"));
    }

    @Test
    void whatCannotBeRepeatedOrIsForbiddenIsNot() throws Exception {
        HttpClient client = IdTokenClient.builder()
                .source(emulator.account("caller@project.iam.gserviceaccount.com").build()).audience(AUDIENCE).build();
        HttpRequest stream = HttpRequest.newBuilder(receiver.url())
                .POST(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(new byte[3]))).build();
        var sending = client.sendAsync(stream, BodyHandlers.ofString());
        HoldingServer.answer(receiver.next(), 401, "text/plain", "no");
        assertEquals(401, sending.join().statusCode());
        sending = client.sendAsync(HttpRequest.newBuilder(receiver.url()).build(), BodyHandlers.ofString());
        HoldingServer.answer(receiver.next(), 403, "text/plain", "forbidden");
        assertEquals("forbidden", sending.join().body());
        assertEquals(1, emulator.requests("/token"));
    }

    @Test
    void aTokenCanBeReplacedByHand() {
        TokenSource source = emulator.account("caller@project.iam.gserviceaccount.com").build();
        Token token = source.fetchIdTokenInfo(AUDIENCE);
        assertTrue(token.expiresAt().isAfter(Instant.now()));
        assertEquals("Bearer " + token.value(), token.header());
        assertTrue(source.invalidate(token));
        source.fetchIdToken(AUDIENCE);
        assertEquals(2, emulator.requests("/token"));
        Token access = source.fetchAccessTokenInfo("https://scope.example/a");
        assertTrue(access.expiresAt().isBefore(Instant.now().plusSeconds(3700)));
    }

    private Claims verify(HttpExchange received, String audience) {
        assertEquals(1, received.getRequestHeaders().get("Authorization").size());
        return Verifier.builder().google().audience(audience).keysUrl(emulator.keysUrl()).build()
                .verifyRequest(received.getRequestHeaders());
    }
}
