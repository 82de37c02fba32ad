package dev.gatepass.servlet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatepass.Claims;
import dev.gatepass.Emulators;
import dev.gatepass.Verifier;
import dev.gatepass.testing.Emulator;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Requests as Google's senders make them reach a service behind the filter, and nobody else's do. */
class SendersTest {
    private static final String AUDIENCE = "https://orders.example";
    private static final String SENDER = "sender@project.iam.gserviceaccount.com";

    private final Emulator emulator = Emulators.fresh();
    private FilteredServer server;
    private volatile String caller;

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    @Test
    void pubSub() throws Exception {
        onlyTheSenderIsLetThrough("pubsub", Verifier.Builder::pubSub);
    }

    @Test
    void cloudTasks() throws Exception {
        onlyTheSenderIsLetThrough("tasks", Verifier.Builder::cloudTasks);
    }

    @Test
    void cloudScheduler() throws Exception {
        onlyTheSenderIsLetThrough("scheduler", Verifier.Builder::cloudScheduler);
    }

    @Test
    void eventarc() throws Exception {
        onlyTheSenderIsLetThrough("eventarc", Verifier.Builder::eventarc);
    }

    private void onlyTheSenderIsLetThrough(String sender, UnaryOperator<Verifier.Builder> kind) throws Exception {
        Verifier verifier = kind.apply(Verifier.builder())
                .audience(AUDIENCE).allowedEmails(SENDER).keysUrl(emulator.keysUrl()).build();
        server = new FilteredServer(verifier, new Receiving());
        push(0, "204", sender, SENDER, AUDIENCE);
        assertEquals(SENDER, caller);
        caller = null;
        push(1, "403", sender, "stranger@project.iam.gserviceaccount.com", AUDIENCE);
        push(1, "401", sender, SENDER, "https://other.example");
        assertNull(caller);
    }

    private void push(int exit, String status, String sender, String email, String audience) {
        String printed = exit == 0 ? deliver(sender, email, audience)
                : assertThrows(IllegalStateException.class, () -> deliver(sender, email, audience)).getMessage();
        assertTrue(printed.contains(status), printed);
        assertTrue(exit == 0 || printed.contains("has exited with " + exit), printed);
    }

    private String deliver(String sender, String email, String audience) {
        return emulator.run("emulator", "push", "--emulator", emulator.url().toString(), "--as", sender,
                "--to", server.url().toString(), "--data", "hello", "--email", email, "--audience", audience);
    }

    private final class Receiving extends HttpServlet {
        private static final long serialVersionUID = 1L;

        @Override
        protected void doPost(HttpServletRequest request, HttpServletResponse response) {
            caller = ((Claims) request.getUserPrincipal()).email();
            response.setStatus(204);
        }
    }
}
