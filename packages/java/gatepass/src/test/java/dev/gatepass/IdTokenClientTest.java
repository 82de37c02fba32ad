package dev.gatepass;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import dev.gatepass.testing.Emulator;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

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

    private Claims verify(HttpExchange received, String audience) {
        assertEquals(1, received.getRequestHeaders().get("Authorization").size());
        return Verifier.builder().google().audience(audience).keysUrl(emulator.keysUrl()).build()
                .verifyRequest(received.getRequestHeaders());
    }
}
