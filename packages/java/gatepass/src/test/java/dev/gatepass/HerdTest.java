package dev.gatepass;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Many callers, one request; and a caller who goes away hurts nobody. The endpoint is the test, so it says when an
 * answer comes: no test waits for the time to pass.
 */
class HerdTest {
    private static final String AUDIENCE = "https://orders.example";
    private static final int HERD = 100;

    private HoldingServer endpoint;
    private TokenSource source;

    @BeforeEach
    void start() throws IOException {
        endpoint = new HoldingServer();
        source = TokenSourceTest.metadataAt(endpoint).build();
    }

    @AfterEach
    void stop() {
        endpoint.close();
    }

    @Test
    void aHundredThreadsMakeOneRequest() throws Exception {
        List<Caller> callers = herdOfThreads(() -> source.fetchIdToken(AUDIENCE));
        String token = answerWithToken();
        for (Caller caller : callers) {
            assertEquals(token, caller.result());
        }
        assertEquals(1, endpoint.count());
    }

    @Test
    void aHundredFuturesMakeOneRequest() throws Exception {
        List<CompletableFuture<String>> futures =
                Stream.generate(() -> source.fetchIdTokenAsync(AUDIENCE)).limit(HERD).toList();
        String token = answerWithToken();
        assertEquals(Set.of(token), futures.stream().map(CompletableFuture::join).collect(Collectors.toSet()));
        assertEquals(1, endpoint.count());
    }

    @Test
    void aHundredVerificationsMakeOneRequest() throws Exception {
        Verifier verifier = Verifier.builder().google().audience(AUDIENCE).keysUrl(endpoint.url()).build();
        String token = Emulators.fresh().mint(Map.of("claims", Map.of("aud", AUDIENCE)));
        List<CompletableFuture<Claims>> futures =
                Stream.generate(() -> verifier.verifyAsync(token)).limit(HERD).toList();
        List<Caller> threads = herdOfThreads(() -> verifier.verify(token).issuer());
        HoldingServer.answer(endpoint.next(), 200, "application/json", keys());
        for (CompletableFuture<Claims> future : futures) {
            assertEquals(List.of(AUDIENCE), future.join().audiences());
        }
        for (Caller caller : threads) {
            assertFalse(caller.result().isEmpty());
        }
        assertEquals(1, endpoint.count());
    }

    @Test
    void aHundredFailuresMakeTwoRequests() throws Exception {
        TokenSource stopped = TokenSourceTest.metadataAt(endpoint).clock(HandClock.stopped()).build();
        List<CompletableFuture<String>> futures =
                Stream.generate(() -> stopped.fetchIdTokenAsync(AUDIENCE)).limit(HERD).toList();
        // After a first failure the core lets one of those who wait try again; the second is remembered for a while.
        HoldingServer.answer(endpoint.next(), 404, "text/html", "no such account");
        HoldingServer.answer(endpoint.next(), 404, "text/html", "no such account");
        for (CompletableFuture<String> future : futures) {
            assertEquals(ErrorCode.TOKEN_REFUSED,
                    assertThrows(CredentialsException.class, () -> Futures.await(future)).code());
        }
        assertEquals(2, endpoint.count());
    }

    @Test
    void whoFetchesMayGoAwayAndTheOthersGetWhatItBrings() throws Exception {
        CompletableFuture<String> cancelled = source.fetchIdTokenAsync(AUDIENCE);
        CompletableFuture<String> waiting = source.fetchIdTokenAsync(AUDIENCE);
        HttpExchange request = endpoint.next();
        cancelled.cancel(true);
        String token = mint();
        HoldingServer.answer(request, 200, "text/html", token);
        assertEquals(token, waiting.join());
        assertEquals(1, endpoint.count());
        assertThrows(CancellationException.class, cancelled::join);
    }

    /** Callers with less time than the endpoint takes: none of them sees the answer, and the next one does. */
    @Test
    void callersInAHurryAreServedInTheEnd() throws Exception {
        List<CompletableFuture<String>> hurried =
                Stream.generate(() -> source.fetchIdTokenAsync(AUDIENCE)).limit(HERD).toList();
        HttpExchange request = endpoint.next();
        hurried.forEach(late -> late.completeExceptionally(new TimeoutException())); // As orTimeout does.
        CompletableFuture<String> patient = source.fetchIdTokenAsync(AUDIENCE);
        String token = mint();
        HoldingServer.answer(request, 200, "text/html", token);
        assertEquals(token, patient.join());
        assertEquals(token, source.fetchIdToken(AUDIENCE));
        assertEquals(1, endpoint.count());
    }

    @Test
    void whenTheFetchingThreadIsInterruptedTheOthersGetWhatItBrings() throws Exception {
        Caller fetching = new Caller(() -> source.fetchIdToken(AUDIENCE));
        HttpExchange request = endpoint.next();
        Caller waiting = new Caller(() -> source.fetchIdToken(AUDIENCE));
        waiting.untilItWaits();
        fetching.interrupt();
        fetching.assertCancelledAndStillInterrupted();
        String token = mint();
        HoldingServer.answer(request, 200, "text/html", token);
        assertEquals(token, waiting.result());
        assertEquals(1, endpoint.count());
    }

    @Test
    void aWaitingThreadThatIsInterruptedGoesAlone() throws Exception {
        CompletableFuture<String> fetching = source.fetchIdTokenAsync(AUDIENCE);
        HttpExchange request = endpoint.next();
        Caller interrupted = new Caller(() -> source.fetchIdToken(AUDIENCE));
        Caller waiting = new Caller(() -> source.fetchIdToken(AUDIENCE));
        interrupted.untilItWaits();
        waiting.untilItWaits();
        interrupted.interrupt();
        interrupted.assertCancelledAndStillInterrupted();
        String token = mint();
        HoldingServer.answer(request, 200, "text/html", token);
        assertEquals(token, fetching.join());
        assertEquals(token, waiting.result());
        assertEquals(1, endpoint.count());
    }

    @Test
    void whenAThreadThatFetchesKeysIsInterruptedTheOthersGetThem() throws Exception {
        Verifier verifier = Verifier.builder().google().audience(AUDIENCE).keysUrl(endpoint.url()).build();
        String token = Emulators.fresh().mint(Map.of("claims", Map.of("aud", AUDIENCE)));
        Caller fetching = new Caller(() -> verifier.verify(token).issuer());
        HttpExchange request = endpoint.next();
        CompletableFuture<Claims> waiting = verifier.verifyAsync(token);
        fetching.interrupt();
        fetching.assertCancelledAndStillInterrupted();
        HoldingServer.answer(request, 200, "application/json", keys());
        assertEquals(List.of(AUDIENCE), waiting.join().audiences());
        assertEquals(1, endpoint.count());
    }

    @Test
    void whenARequestIsCancelledItsFetchGoesOn() throws Exception {
        HttpRequest request = HttpRequest.newBuilder(endpoint.url()).build();
        CompletableFuture<?> sending = IdTokenClient.builder().source(source).audience(AUDIENCE).build()
                .sendAsync(request, BodyHandlers.discarding());
        HttpExchange fetch = endpoint.next();
        sending.cancel(true);
        CompletableFuture<String> waiting = source.fetchIdTokenAsync(AUDIENCE);
        String token = mint();
        HoldingServer.answer(fetch, 200, "text/html", token);
        assertEquals(token, waiting.join());
        assertEquals(1, endpoint.count());
    }

    @Test
    void aThreadThatIsInterruptedAlreadyGetsWhatIsThere() throws Exception {
        CompletableFuture<String> fetching = source.fetchIdTokenAsync(AUDIENCE);
        String token = answerWithToken();
        fetching.join();
        Thread.currentThread().interrupt();
        assertEquals(token, source.fetchIdToken(AUDIENCE));
        assertTrue(Thread.interrupted());
    }

    private static List<Caller> herdOfThreads(Supplier<String> call) {
        List<Caller> callers = IntStream.range(0, HERD).mapToObj(number -> new Caller(call)).toList();
        callers.forEach(Caller::untilItWaits);
        return callers;
    }

    private String answerWithToken() throws Exception {
        return TokenSourceTest.answerWithToken(endpoint, Instant.now());
    }

    private static String mint() {
        return Emulators.fresh().mint(Map.of("claims", Map.of("aud", AUDIENCE)));
    }

    private static String keys() throws Exception {
        var request = HttpRequest.newBuilder(Emulators.fresh().keysUrl()).build();
        return HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body();
    }

    /** A thread that calls gatepass. */
    private static final class Caller {
        private final FutureTask<String> task;
        private final Thread thread;
        private volatile boolean interruptedAfterwards;

        Caller(Supplier<String> call) {
            task = new FutureTask<>(() -> {
                try {
                    return call.get();
                } finally {
                    interruptedAfterwards = Thread.currentThread().isInterrupted();
                }
            });
            thread = new Thread(task);
            thread.start();
        }

        /** Returns when the thread waits for another; JUnit's timeout bounds this. */
        void untilItWaits() {
            while (thread.getState() != Thread.State.WAITING && thread.isAlive()) {
                Thread.onSpinWait();
            }
            assertTrue(thread.isAlive(), "the caller did not wait");
        }

        void interrupt() {
            thread.interrupt();
        }

        String result() throws Exception {
            return task.get(300, TimeUnit.SECONDS);
        }

        void assertCancelledAndStillInterrupted() {
            var failure = assertThrows(ExecutionException.class, this::result);
            assertTrue(failure.getCause() instanceof CancellationException, () -> failure.toString());
            assertTrue(interruptedAfterwards);
        }
    }
}
