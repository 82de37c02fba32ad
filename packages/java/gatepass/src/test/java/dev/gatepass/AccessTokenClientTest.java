package dev.gatepass;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import dev.gatepass.testing.Emulator;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Requests to a real server carry an access token, and what goes with it. */
class AccessTokenClientTest {
    private static final String EMAIL = "caller@project.iam.gserviceaccount.com";
    private static final String SCOPE = "https://www.googleapis.com/auth/cloud-platform";

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
    void aRequestCarriesATokenAndTheProjectThatIsBilled() throws Exception {
        TokenSource source = emulator.account(EMAIL).quotaProjectId("billed").build();
        AccessTokenClient client = AccessTokenClient.builder().source(source).scopes(SCOPE).build();
        HttpRequest request = HttpRequest.newBuilder(receiver.url())
                .header("AUTHORIZATION", "Basic of-another-time").header("X-Goog-User-Project", "another")
                .header("X-Kept", "yes").build();
        var sending = client.sendAsync(request, BodyHandlers.discarding());
        HttpExchange received = receiver.next();
        HoldingServer.answer(received, 204, "text/plain", "");
        assertEquals(204, sending.join().statusCode());
        assertEquals(List.of("billed"), received.getRequestHeaders().get("X-Goog-User-Project"));
        assertEquals(List.of("yes"), received.getRequestHeaders().get("X-Kept"));
        assertEquals(1, received.getRequestHeaders().get("Authorization").size());
        String token = received.getRequestHeaders().getFirst("Authorization").substring("Bearer ".length());
        assertEquals(EMAIL, emulator.tokenInfo(token).get("email"));
        assertEquals(SCOPE, emulator.tokenInfo(token).get("scope"));
    }

    @Test
    void aRedirectIsNotFollowed() {
        HttpClient following = HttpClient.newBuilder().followRedirects(Redirect.NORMAL).build();
        AccessTokenClient.Builder builder = AccessTokenClient.builder();
        assertThrows(IllegalArgumentException.class, () -> builder.httpClient(following));
        assertEquals(Redirect.NEVER, builder.source(emulator.tokenSource().build()).build().followRedirects());
    }

    @Test
    void aTokenThatCannotBeHadIsOurException() {
        AccessTokenClient client = AccessTokenClient.builder()
                .source(TokenSource.builder().credentialsJson("no JSON").build()).scopes(SCOPE).build();
        HttpRequest request = HttpRequest.newBuilder(receiver.url()).build();
        assertThrows(CredentialsException.class, () -> client.send(request, BodyHandlers.discarding()));
        assertTrue(assertThrows(CompletionException.class,
                () -> client.sendAsync(request, BodyHandlers.discarding()).join())
                .getCause() instanceof CredentialsException);
        assertEquals(0, receiver.count());
    }

    @Test
    void aScopeThatIsNoneIsOurException() {
        AccessTokenClient client =
                AccessTokenClient.builder().source(emulator.tokenSource().build()).scopes("a \"scope\"").build();
        HttpRequest request = HttpRequest.newBuilder(receiver.url()).build();
        assertThrows(GatepassException.class, () -> client.send(request, BodyHandlers.discarding()));
        assertEquals(0, receiver.count());
    }
}
