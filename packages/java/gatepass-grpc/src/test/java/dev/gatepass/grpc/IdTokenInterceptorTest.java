package dev.gatepass.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.auth.oauth2.IdTokenCredentials;
import com.google.auth.oauth2.IdTokenProvider;
import com.google.auth.oauth2.ServiceAccountCredentials;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.gatepass.Verifier;
import dev.gatepass.grpc.Orders.Answers;
import dev.gatepass.grpc.Orders.Kind;
import dev.gatepass.testing.Emulator;
import dev.gatepass.testing.EmulatorExtension;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Metadata;
import io.grpc.ServerBuilder;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.auth.MoreCallCredentials;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A real server lets through what its verifier accepts, and says what is wrong with the rest. */
@ExtendWith(EmulatorExtension.class)
class IdTokenInterceptorTest {
    private static final String CALLER = "caller@project.iam.gserviceaccount.com";
    private static final String KEYS = "/oauth2/v3/certs";

    private Emulator emulator;
    private Orders orders;

    @BeforeEach
    void start(Emulator fresh) {
        emulator = fresh;
        orders = new Orders(verifier().build());
    }

    @AfterEach
    void stop() throws InterruptedException {
        orders.close();
    }

    /** What a verifier refuses, and how the call ends. */
    enum Bad {
        OTHER_AUDIENCE(Status.Code.UNAUTHENTICATED, "BAD_AUDIENCE", Map.of("aud", "https://other.example"), Map.of()),
        OTHER_ISSUER(Status.Code.UNAUTHENTICATED, "BAD_ISSUER", Map.of("iss", "https://issuer.example"), Map.of()),
        EXPIRED(Status.Code.UNAUTHENTICATED, "TOKEN_EXPIRED", Map.of(), Map.of("issued_at", 1_700_000_000)),
        WITHOUT_SIGNATURE(
                Status.Code.UNAUTHENTICATED, "SIGNATURE_STRIPPED", Map.of(), Map.of("strip_signature", true)),
        OTHER_CALLER(Status.Code.PERMISSION_DENIED, "EMAIL_NOT_ALLOWED", Map.of("email", "other@x.example"), Map.of());

        private final Status.Code status;
        private final String code;
        private final Map<String, Object> claims;
        private final Map<String, Object> order;

        Bad(Status.Code status, String code, Map<String, Object> claims, Map<String, Object> order) {
            this.status = status;
            this.code = code;
            this.claims = claims;
            this.order = order;
        }
    }

    @ParameterizedTest
    @EnumSource
    void aBadTokenIsRefused(Bad bad) {
        Map<String, Object> claims = new HashMap<>(Map.of("aud", Orders.AUDIENCE, "email", CALLER));
        claims.putAll(bad.claims);
        Map<String, Object> order = new HashMap<>(bad.order);
        order.put("claims", claims);
        String token = emulator.mint(order);
        Channel channel = with(orders.channel(), "Bearer " + token);
        for (Kind kind : Kind.values()) {
            assertFalse(refused(channel, kind, bad.status, bad.code).toString().contains(token));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aCallWithoutATokenIsRefused(Kind kind) {
        refused(orders.channel(), kind, Status.Code.UNAUTHENTICATED, "TOKEN_MISSING");
    }

    @Test
    void allValuesOfAHeaderCount() {
        Channel channel = orders.channel();
        String header = "Bearer " + mint();
        assertEquals(List.of(CALLER), Kind.UNARY.call(with(channel, header)));
        refused(with(channel, header, header), Kind.UNARY, Status.Code.UNAUTHENTICATED, "TOKEN_MALFORMED");
        refused(with(channel, "Basic YTpi"), Kind.UNARY, Status.Code.UNAUTHENTICATED, "TOKEN_MISSING");
    }

    @Test
    void whenTheKeysCannotBeHadTheCallerHearsWhenToTryAgain() throws InvalidProtocolBufferException {
        emulator.fault(Map.of("path", KEYS, "status", 503, "times", 100));
        StatusRuntimeException refused = refused(with(orders.channel(), "Bearer " + mint()),
                Kind.UNARY, Status.Code.UNAVAILABLE, "KEYS_UNAVAILABLE");
        RetryInfo retry = StatusProto.fromThrowable(refused).getDetails(1).unpack(RetryInfo.class);
        assertEquals(5, retry.getRetryDelay().getSeconds());
    }

    @ParameterizedTest
    @EnumSource
    void aServiceMayBeLeftOpen(Kind kind) {
        for (Channel channel : List.of(
                orders.channel(), with(orders.channel(), "no token"))) {
            assertEquals(Collections.nCopies(kind.answers(), "nobody"),
                    kind.start(channel, Orders.OPEN_SERVICE, CallOptions.DEFAULT).await());
        }
    }

    @Test
    void aTokenMayBeOptional() throws InterruptedException {
        IdTokenInterceptor optional = IdTokenInterceptor.builder(verifier().build()).optional().build();
        try (Orders relaxed = new Orders(optional, server -> server)) {
            Channel channel = relaxed.channel();
            for (Kind kind : Kind.values()) {
                assertEquals(Collections.nCopies(kind.answers(), "nobody"), kind.call(channel));
            }
            assertEquals(List.of(CALLER), Kind.UNARY.call(with(channel, "Bearer " + mint())));
            refused(with(channel, "Bearer a.b.c"), Kind.UNARY, Status.Code.UNAUTHENTICATED, "TOKEN_MALFORMED");
        }
    }

    @Test
    void whoeverWantsHearsOfARefusal() throws InterruptedException {
        List<String> heard = new CopyOnWriteArrayList<>();
        IdTokenInterceptor interceptor = IdTokenInterceptor.builder(verifier().build()).onRefusal((call, failure) ->
                heard.add(call.getMethodDescriptor().getFullMethodName() + " " + failure.code())).build();
        try (Orders watched = new Orders(interceptor, server -> server)) {
            refused(watched.channel(), Kind.UNARY, Status.Code.UNAUTHENTICATED, "TOKEN_MISSING");
        }
        assertEquals(List.of("shop.Orders/UNARY TOKEN_MISSING"), heard);
    }

    /** The server has one thread, which goes on answering. */
    @ParameterizedTest
    @EnumSource
    void noThreadWaitsForKeys(Kind kind) throws Exception {
        try (HeldServer keys = new HeldServer();
                Orders direct = new Orders(IdTokenInterceptor
                        .builder(verifier().keysUrl(keys.url()).build()).openServices(Orders.OPEN_SERVICE).build(),
                        ServerBuilder::directExecutor)) {
            Channel channel = direct.channel();
            String token = mint();
            Answers waiting = kind.start(with(channel, "Bearer " + token), Orders.SERVICE, CallOptions.DEFAULT);
            Answers others = Kind.BIDI_STREAMING.start(
                    with(channel, "Bearer " + token), Orders.SERVICE, CallOptions.DEFAULT);
            var request = keys.next();
            assertEquals(List.of("nobody"),
                    Kind.UNARY.start(channel, Orders.OPEN_SERVICE, CallOptions.DEFAULT).await());
            assertFalse(waiting.isDone());
            HeldServer.answer(request, "application/json", new String(
                    emulator.keysUrl().toURL().openStream().readAllBytes(), StandardCharsets.UTF_8));
            assertEquals(Collections.nCopies(kind.answers(), CALLER), waiting.await());
            assertEquals(Collections.nCopies(Orders.MESSAGES, CALLER), others.await());
            assertEquals(1, keys.count());
        }
    }

    @Test
    void aCallThatIsCancelledWhileKeysAreFetchedHurtsNobody() throws Exception {
        try (HeldServer keys = new HeldServer();
                Orders waitingOrders = new Orders(verifier().keysUrl(keys.url()).build())) {
            Channel channel = with(waitingOrders.channel(), "Bearer " + mint());
            var call = channel.newCall(Kind.UNARY.method(Orders.SERVICE), CallOptions.DEFAULT);
            Answers cancelled = new Answers();
            ClientCalls.asyncUnaryCall(call, "request", cancelled);
            Answers patient = Kind.UNARY.start(channel, Orders.SERVICE, CallOptions.DEFAULT);
            var request = keys.next();
            call.cancel("no longer wanted", null);
            assertEquals(Status.Code.CANCELLED,
                    assertThrows(StatusRuntimeException.class, cancelled::await).getStatus().getCode());
            HeldServer.answer(request, "application/json", new String(
                    emulator.keysUrl().toURL().openStream().readAllBytes(), StandardCharsets.UTF_8));
            assertEquals(List.of(CALLER), patient.await());
        }
    }

    /** It was checked when it began: who must know sooner ends streams before that. */
    @Test
    void aStreamOutlivesItsToken() throws InterruptedException {
        Channel channel = with(orders.channel(), "Bearer " + mint());
        BlockingQueue<String> answers = new LinkedBlockingQueue<>();
        StreamObserver<String> requests = ClientCalls.asyncBidiStreamingCall(
                channel.newCall(Kind.BIDI_STREAMING.method(Orders.SERVICE), CallOptions.DEFAULT),
                new StreamObserver<>() {
                    @Override
                    public void onNext(String answer) {
                        answers.add(answer);
                    }

                    @Override
                    public void onError(Throwable failure) {
                        answers.add(failure.toString());
                    }

                    @Override
                    public void onCompleted() {
                        answers.add("completed");
                    }
                });
        requests.onNext("request");
        assertEquals(CALLER, answers.take());
        emulator.setClockOffset(Duration.ofHours(2));
        refused(channel, Kind.UNARY, Status.Code.UNAUTHENTICATED, "TOKEN_EXPIRED");
        requests.onNext("request");
        assertEquals(CALLER, answers.take());
        requests.onCompleted();
        assertEquals("completed", answers.take());
    }

    /** Google's own call credentials, with an ID token of the emulator's. */
    @ParameterizedTest
    @EnumSource
    void googlesCallCredentialsAreAccepted(Kind kind) throws IOException {
        ServiceAccountCredentials account = ServiceAccountCredentials.fromStream(new ByteArrayInputStream(
                emulator.credentialFile("--email", CALLER).getBytes(StandardCharsets.UTF_8)));
        IdTokenCredentials google = IdTokenCredentials.newBuilder()
                .setIdTokenProvider((IdTokenProvider) account).setTargetAudience(Orders.AUDIENCE).build();
        assertEquals(Collections.nCopies(kind.answers(), CALLER),
                kind.call(orders.channel(MoreCallCredentials.from(google))));
    }

    private static StatusRuntimeException refused(Channel channel, Kind kind, Status.Code status, String code) {
        StatusRuntimeException refused = assertThrows(StatusRuntimeException.class, () -> kind.call(channel));
        assertEquals(status, refused.getStatus().getCode(), refused::toString);
        assertEquals(code, refused.getStatus().getDescription().split(":")[0]);
        com.google.rpc.Status details = StatusProto.fromThrowable(refused);
        try {
            assertEquals(ErrorInfo.newBuilder().setReason(code).setDomain("gatepass.dev").build(),
                    details.getDetails(0).unpack(ErrorInfo.class));
        } catch (InvalidProtocolBufferException malformed) {
            throw new AssertionError(malformed);
        }
        return refused;
    }

    private static Channel with(Channel channel, String... authorizations) {
        Metadata headers = new Metadata();
        for (String authorization : authorizations) {
            headers.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), authorization);
        }
        return ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers));
    }

    private Verifier.Builder verifier() {
        return emulator.verifier().audience(Orders.AUDIENCE).allowedEmails(CALLER);
    }

    private String mint() {
        return emulator.mint(Map.of("claims", Map.of("aud", Orders.AUDIENCE, "email", CALLER)));
    }
}
