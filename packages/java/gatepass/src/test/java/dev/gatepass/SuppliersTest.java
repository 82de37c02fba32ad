package dev.gatepass;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatepass.json.Json;
import dev.gatepass.json.Utf8;
import dev.gatepass.testing.Emulator;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Subject tokens from the user's own function, exchanged at the emulator. */
class SuppliersTest {
    private static final String ACCOUNT = "federated@project.iam.gserviceaccount.com";
    private static final String AUDIENCE = "https://orders.example";

    private final Emulator emulator = Emulators.fresh();

    @Test
    void whatItGivesIsExchanged() {
        CompletableFuture<SubjectTokenRequest> asked = new CompletableFuture<>();
        TokenSource source = source().supplier("vault", request -> {
            asked.complete(request);
            return "a subject token";
        }).build();
        Claims claims = Verifier.builder().google().audience(AUDIENCE).keysUrl(emulator.keysUrl()).build()
                .verify(source.fetchIdToken(AUDIENCE));
        assertEquals(ACCOUNT, claims.email());
        assertTrue(asked.join().audience().startsWith("//iam.googleapis.com/"), () -> asked.join().audience());
        assertEquals("urn:ietf:params:oauth:token-type:jwt", asked.join().tokenType());
    }

    @Test
    void whatItThrowsIsTheCauseAndIsNotQuoted() {
        IOException thrown = new IOException("hush");
        TokenSource source = source().supplier("vault", request -> {
            throw thrown;
        }).build();
        GatepassException failure = failure(source);
        assertSame(thrown, failure.getCause());
        assertTrue(failure.getMessage().contains("java.io.IOException"), failure::getMessage);
        assertFalse(failure.getMessage().contains("hush"), failure::getMessage);
    }

    @Test
    void aSupplierThatGivesNullHasFailed() {
        GatepassException failure = failure(source().supplier("vault", request -> null).build());
        assertTrue(failure.getMessage().contains("null"), failure::getMessage);
        assertNull(failure.getCause());
    }

    @Test
    void aNameThatNobodyRegisteredIsAnsweredWithThoseThatAre() {
        String none = failure(source().build()).getMessage();
        assertTrue(none.contains("\"vault\"") && none.contains("registered are: none"), none);
        TokenSource others = source().supplier("b", request -> "").supplier("a", request -> "").build();
        assertTrue(failure(others).getMessage().contains("registered are: a, b"), failure(others)::getMessage);
    }

    @Test
    void whoGoesAwayLeavesTheSupplierToTheOthers() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CompletableFuture<String> given = new CompletableFuture<>();
        TokenSource source = source().supplier("vault", request -> {
            asked.countDown();
            return given.get();
        }).build();
        CompletableFuture<String> cancelled = source.fetchIdTokenAsync(AUDIENCE);
        asked.await();
        CompletableFuture<String> waiting = source.fetchIdTokenAsync(AUDIENCE);
        cancelled.cancel(true);
        given.complete("a subject token");
        assertTrue(waiting.join().startsWith("eyJ"));
    }

    private TokenSource.Builder source() {
        Map<String, Object> file = new HashMap<>(Json.readMembers(Utf8.bytes(emulator.credentialFile(
                "--type", "external_account", "--email", ACCOUNT, "--source", "url"))));
        file.put("credential_source", Map.of("supplier", "vault"));
        return TokenSource.builder()
                .credentialsJson(Utf8.text(Json.write(file)))
                .trustedEndpoints(emulator.url().getAuthority());
    }

    private static GatepassException failure(TokenSource source) {
        GatepassException failure = assertThrows(CredentialsException.class, () -> source.fetchIdToken(AUDIENCE));
        assertEquals(ErrorCode.SUBJECT_TOKEN_FAILED, failure.code(), failure::toString);
        return failure;
    }
}
