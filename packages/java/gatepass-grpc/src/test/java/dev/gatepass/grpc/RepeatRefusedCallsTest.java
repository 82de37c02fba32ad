package dev.gatepass.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatepass.grpc.Orders.Answers;
import dev.gatepass.grpc.Orders.Kind;
import dev.gatepass.testing.Emulator;
import dev.gatepass.testing.EmulatorExtension;
import io.grpc.CallCredentials;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.ValueSource;

/** A server refuses calls, and accepts the next. Each refusal takes a second, so that tokens differ. */
@ExtendWith(EmulatorExtension.class)
class RepeatRefusedCallsTest {
    private static final String CALLER = "caller@project.iam.gserviceaccount.com";

    private final AtomicInteger refusals = new AtomicInteger();
    private volatile Status refusal = Status.UNAUTHENTICATED;
    private volatile boolean sendsHeaders;
    private volatile Duration duration = Duration.ofSeconds(1);
    private Emulator emulator;
    private Orders orders;
    private CallCredentials credentials;
    private Channel channel;

    @BeforeEach
    void start(Emulator fresh) {
        emulator = fresh;
        ServerInterceptor check = new IdTokenInterceptor(emulator.verifier().audience(Orders.AUDIENCE).build());
        orders = new Orders(new ServerInterceptor() {
            @Override
            public <Q, S> ServerCall.Listener<Q> interceptCall(
                    ServerCall<Q, S> call, Metadata headers, ServerCallHandler<Q, S> next) {
                if (refusals.getAndDecrement() <= 0) {
                    return check.interceptCall(call, headers, next);
                }
                emulator.setClockOffset(duration);
                if (sendsHeaders) {
                    call.sendHeaders(new Metadata());
                }
                call.close(refusal, new Metadata());
                return new ServerCall.Listener<>() {};
            }
        }, server -> server);
        credentials = IdTokenCallCredentials.builder().source(emulator.account(CALLER).build()).build();
        channel = ClientInterceptors.intercept(orders.channel(credentials), new RepeatRefusedCalls());
    }

    @AfterEach
    void stop() throws InterruptedException {
        orders.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aUnaryCallIsRepeatedWithAnotherToken(boolean withHeaders) {
        sendsHeaders = withHeaders;
        refusals.set(1);
        assertEquals(List.of(CALLER), Kind.UNARY.call(channel));
        assertEquals(2, tokens());
        assertEquals(2, emulator.requests("/token"));
        assertEquals(List.of(CALLER), Kind.UNARY.call(channel));
        assertEquals(2, emulator.requests("/token"));
    }

    @ParameterizedTest
    @EnumSource(names = "UNARY", mode = Mode.EXCLUDE)
    void aStreamIsNotAndTheNextHasAnotherToken(Kind kind) {
        refusals.set(1);
        assertRefused(Status.Code.UNAUTHENTICATED, kind);
        assertEquals(1, orders.received().size());
        assertEquals(Collections.nCopies(kind.answers(), CALLER), kind.call(channel));
        assertEquals(2, tokens());
        assertEquals(2, emulator.requests("/token"));
    }

    @Test
    void itIsRepeatedOnceAndATokenReplacedOnceAMinute() {
        refusals.set(100);
        assertRefused(Status.Code.UNAUTHENTICATED, Kind.UNARY);
        assertEquals(2, orders.received().size());
        assertRefused(Status.Code.UNAUTHENTICATED, Kind.UNARY);
        assertEquals(3, orders.received().size());
        assertEquals(2, emulator.requests("/token"));
    }

    @ParameterizedTest
    @EnumSource(value = Status.Code.class, names = {"PERMISSION_DENIED", "UNAVAILABLE", "UNKNOWN"})
    void noOtherFailureIsRepeated(Status.Code code) {
        refusals.set(1);
        refusal = code.toStatus();
        assertRefused(code, Kind.UNARY);
        assertEquals(1, orders.received().size());
    }

    /** By gRPC's own policy, without the interceptor: each attempt asks for the token. */
    @Test
    void eachAttemptLooksForTheTokenAnew() {
        Map<String, Object> policy = Map.of("maxAttempts", 3.0, "initialBackoff", "0.001s", "maxBackoff", "0.001s",
                "backoffMultiplier", 1.0, "retryableStatusCodes", List.of("UNAVAILABLE"));
        Channel retrying = orders.channel(credentials, options -> options.enableRetry().defaultServiceConfig(Map.of(
                "methodConfig", List.of(Map.of("name", List.of(Map.of()), "retryPolicy", policy)))));
        refusals.set(1);
        refusal = Status.UNAVAILABLE;
        duration = Duration.ofHours(2);
        assertEquals(List.of(CALLER), Kind.UNARY.call(retrying));
        assertEquals(2, tokens());
    }

    /** By gRPC's own policy: attempts that run at once share a token, and what replaces it once it is refused. */
    @Test
    void hedgedAttemptsAskForOneTokenAtATime() {
        Map<String, Object> policy = Map.of("maxAttempts", 3.0, "hedgingDelay", "0s",
                "nonFatalStatusCodes", List.of("UNAVAILABLE"));
        Channel hedging = ClientInterceptors.intercept(
                orders.channel(credentials, options -> options.enableRetry().defaultServiceConfig(Map.of(
                        "methodConfig", List.of(Map.of("name", List.of(Map.of()), "hedgingPolicy", policy))))),
                new RepeatRefusedCalls());
        assertEquals(List.of(CALLER), Kind.UNARY.call(hedging));
        assertEquals(1, emulator.requests("/token"));
        refusals.set(1);
        assertEquals(List.of(CALLER), Kind.UNARY.call(hedging));
        assertTrue(emulator.requests("/token") <= 2, "at most one token is replaced");
    }

    /** How many different tokens the server has seen. */
    private long tokens() {
        var authorization = Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
        return orders.received().stream().map(headers -> headers.get(authorization)).distinct().count();
    }

    private void assertRefused(Status.Code code, Kind kind) {
        Answers answers = kind.start(channel, Orders.SERVICE, CallOptions.DEFAULT);
        assertEquals(code, assertThrows(StatusRuntimeException.class, answers::await).getStatus().getCode());
    }
}
