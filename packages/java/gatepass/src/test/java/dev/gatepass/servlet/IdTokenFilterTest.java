package dev.gatepass.servlet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatepass.Claims;
import dev.gatepass.Emulators;
import dev.gatepass.Verifier;
import dev.gatepass.testing.Emulator;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Clock;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The filter in Jetty, over real HTTP. */
class IdTokenFilterTest {
    private static final String AUDIENCE = "https://orders.example";
    private static final String CALLER = "caller@project.iam.gserviceaccount.com";

    private final HttpClient http = HttpClient.newHttpClient();
    private Emulator emulator;
    private FilteredServer server;

    @BeforeEach
    void start() throws Exception {
        emulator = Emulators.fresh();
        server = new FilteredServer(Verifier.builder()
                .google().audience(AUDIENCE).keysUrl(emulator.keysUrl()).allowedEmails(CALLER).build(), new WhoCalls());
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    @Test
    void aCallerIsLetThrough() throws Exception {
        HttpResponse<String> response = call("Authorization", "Bearer " + mint(Map.of("sub", "1234")));
        assertEquals(200, response.statusCode());
        assertEquals(CALLER + " 1234 1234 true", response.body());
    }

    @Test
    void theServerlessHeaderWins() throws Exception {
        HttpRequest request = HttpRequest.newBuilder(server.url())
                .header("Authorization", "Basic of-the-application")
                .header("X-Serverless-Authorization", "bearer " + mint(Map.of())).build();
        assertEquals(200, http.send(request, BodyHandlers.discarding()).statusCode());
    }

    @Test
    void requestsWithoutAValidTokenGet401() throws Exception {
        String token = mint(Map.of());
        String tampered = token.substring(0, token.lastIndexOf('.') + 1) + mint(Map.of("sub", "other")).split("\\.")[2];
        String expired = emulator.mint(Map.of(
                "claims", Map.of("aud", AUDIENCE, "email", CALLER),
                "issued_at", Instant.now().getEpochSecond() - 7200));
        String stripped = emulator.mint(Map.of("claims", Map.of("aud", AUDIENCE), "strip_signature", true));
        assertRefused(401, "TOKEN_MISSING", call("X-Nothing", "here"));
        assertRefused(401, "TOKEN_MISSING", call("Authorization", "Basic dXNlcjpwYXNz"));
        assertRefused(401, "TOKEN_MALFORMED", call("Authorization", "Bearer nonsense"));
        assertRefused(401, "BAD_AUDIENCE",
                call("Authorization", "Bearer " + mint(Map.of("aud", "https://other.example"))));
        assertRefused(401, "TOKEN_EXPIRED", call("Authorization", "Bearer " + expired));
        assertRefused(401, "BAD_SIGNATURE", call("Authorization", "Bearer " + tampered));
        assertRefused(401, "SIGNATURE_STRIPPED", call("Authorization", "Bearer " + stripped));
    }

    @Test
    void aCallerWhoIsNotOnTheListGets403() throws Exception {
        assertRefused(403, "EMAIL_NOT_ALLOWED",
                call("Authorization", "Bearer " + mint(Map.of("email", "stranger@example.com"))));
    }

    @Test
    void withoutKeysCallersAreAskedToComeAgain() throws Exception {
        server.close();
        // With a clock of its own it shares no keys with others, which have some.
        server = new FilteredServer(
                Verifier.builder().audience(AUDIENCE).keysUrl(emulator.keysUrl()).clock(Clock.systemUTC()).build(),
                new WhoCalls());
        emulator.fault(Map.of("path", Emulators.KEYS, "status", 404, "times", 4));
        HttpResponse<String> response = call("Authorization", "Bearer " + mint(Map.of()));
        assertRefused(503, "KEYS_UNAVAILABLE", response);
        assertTrue(response.headers().firstValue("Retry-After").isPresent());
    }

    private HttpResponse<String> call(String header, String value) throws Exception {
        return http.send(HttpRequest.newBuilder(server.url()).header(header, value).build(), BodyHandlers.ofString());
    }

    private String mint(Map<String, Object> claims) {
        Map<String, Object> all = new HashMap<>(Map.of("aud", AUDIENCE, "email", CALLER));
        all.putAll(claims);
        return emulator.mint(Map.of("claims", all));
    }

    private static void assertRefused(int status, String code, HttpResponse<String> response) {
        assertEquals(status, response.statusCode(), response.body());
        assertEquals("{\"error\":\"" + code + "\"}", response.body());
        assertEquals("application/json", response.headers().firstValue("Content-Type").orElseThrow());
        assertEquals(status != 503, response.headers().firstValue("WWW-Authenticate").isPresent());
        assertFalse(response.headers().map().toString().contains("eyJ"));
    }

    /** A service behind the filter. */
    private static final class WhoCalls extends HttpServlet {
        private static final long serialVersionUID = 1L;

        @Override
        protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
            Claims caller = (Claims) request.getUserPrincipal();
            boolean same = caller == request.getAttribute(IdTokenFilter.CLAIMS);
            response.getWriter().print(caller.email() + " " + caller.getName() + " "
                    + request.getRemoteUser() + " " + same);
        }
    }
}
