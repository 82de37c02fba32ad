package dev.gatepass.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import dev.gatepass.CredentialsException;
import dev.gatepass.ErrorCode;
import dev.gatepass.GatepassException;
import dev.gatepass.TokenHeader;
import dev.gatepass.TokenSource;
import dev.gatepass.grpc.Orders.Answers;
import dev.gatepass.grpc.Orders.Kind;
import dev.gatepass.testing.Emulator;
import dev.gatepass.testing.EmulatorExtension;
import io.grpc.Attributes;
import io.grpc.CallCredentials;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.SecurityLevel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Calls of real channels to a real server carry a token. */
@ExtendWith(EmulatorExtension.class)
class IdTokenCallCredentialsTest {
    private static final String IDENTITY = "/computeMetadata/v1/instance/service-accounts/default/identity";
    private static final String ACCOUNT = "default@emulator.iam.gserviceaccount.com";
    private static final Metadata.Key<String> AUTHORIZATION = key("authorization");
    private static final Metadata.Key<String> X_SERVERLESS_AUTHORIZATION = key("x-serverless-authorization");

    private Emulator emulator;
    private Orders orders;
    private IdTokenCallCredentials credentials;

    @BeforeEach
    void start(Emulator fresh) {
        emulator = fresh;
        orders = new Orders(emulator.verifier().audience(Orders.AUDIENCE).build());
        credentials = IdTokenCallCredentials.builder().source(emulator.tokenSource().build()).build();
    }

    @AfterEach
    void stop() throws InterruptedException {
        orders.close();
    }

    @ParameterizedTest
    @EnumSource
    void eachKindOfCallCarriesAToken(Kind kind) {
        Channel channel = orders.channel(credentials);
        assertEquals(Collections.nCopies(kind.answers(), ACCOUNT), kind.call(channel));
        assertEquals(Collections.nCopies(kind.answers(), ACCOUNT), kind.call(channel));
        assertEquals(1, emulator.requests(IDENTITY));
    }

    @ParameterizedTest
    @EnumSource
    void soItDoesWithoutTlsToALoopbackAddressIfThatIsAllowed(Kind kind) {
        Channel channel = orders.plaintextChannel(IdTokenCallCredentials.builder()
                .source(emulator.tokenSource().build()).allowPlaintextLoopback().build());
        assertEquals(Collections.nCopies(kind.answers(), ACCOUNT), kind.call(channel));
    }

    @Test
    void withoutTlsACallIsRefusedAndTheErrorSaysWhatToDo() {
        StatusRuntimeException refused = assertThrows(
                StatusRuntimeException.class, () -> Kind.UNARY.call(orders.plaintextChannel(credentials)));
        assertEquals(Status.Code.UNAUTHENTICATED, refused.getStatus().getCode());
        assertTrue(refused.getMessage().contains("`allowPlaintextLoopback`"), refused::getMessage);
        assertTrue(refused.getMessage().contains("TLS"), refused::getMessage);
        assertInstanceOf(GatepassException.class, refused.getCause());
        assertEquals(List.of(), orders.received());
        assertEquals(0, emulator.requests(IDENTITY));
    }

    /** What counts is where the channel leads; what the service is called is for the audience. */
    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "127.1.2.3", "::1", "10.0.0.1", "2001:db8::1"})
    void onlyALoopbackAddressIsReachedWithoutTls(String address) throws IOException {
        CallCredentials allowing = IdTokenCallCredentials.builder()
                .source(emulator.tokenSource().build()).allowPlaintextLoopback().build();
        InetAddress peer = InetAddress.getByName(address);
        Applied applied = Applied.by(allowing, "localhost", SecurityLevel.NONE, peer);
        assertEquals(peer.isLoopbackAddress(), applied.headers.join() != null);
        assertEquals(peer.isLoopbackAddress() ? null : Status.Code.UNAUTHENTICATED, applied.code());
        assertNull(Applied.by(allowing, Orders.AUTHORITY, SecurityLevel.INTEGRITY, InetAddress.getByName("10.0.0.1"))
                .headers.join());
    }

    @Test
    void theAudienceIsThatOfTheCalledServiceOrGiven() {
        TokenSource source = emulator.tokenSource().build();
        Channel other = orders.channel(credentials, "other.example");
        assertEquals(ErrorCode.BAD_AUDIENCE.name(), codeOf(assertThrows(
                StatusRuntimeException.class, () -> Kind.UNARY.call(other))));
        assertEquals(List.of(ACCOUNT), Kind.UNARY.call(orders.channel(credentials)));
        CallCredentials given = IdTokenCallCredentials.builder().source(source).audience(Orders.AUDIENCE).build();
        assertEquals(List.of(ACCOUNT), Kind.UNARY.call(orders.channel(given, "other.example")));
    }

    @Test
    void theTokenGoesWhereTheApplicationHasNoneOfItsOwn() {
        CallCredentials beside = IdTokenCallCredentials.builder().source(emulator.tokenSource().build())
                .tokenHeader(TokenHeader.X_SERVERLESS_AUTHORIZATION).build();
        assertEquals(List.of(ACCOUNT), Kind.UNARY.call(orders.channel(beside)));
        Metadata headers = orders.received().get(0);
        assertFalse(headers.containsKey(AUTHORIZATION));
        assertTrue(headers.get(X_SERVERLESS_AUTHORIZATION).startsWith("Bearer ey"));
    }

    @Test
    void anAccessTokenGoesWithTheProjectThatIsBilled() {
        TokenSource source = emulator.tokenSource().quotaProjectId("billed").build();
        CallCredentials access =
                AccessTokenCallCredentials.builder().source(source).scopes("https://scope.example/a").build();
        Kind.UNARY.start(orders.channel(access), Orders.OPEN_SERVICE, CallOptions.DEFAULT).await();
        Metadata headers = orders.received().get(0);
        assertEquals("Bearer " + source.fetchAccessToken("https://scope.example/a"), headers.get(AUTHORIZATION));
        assertEquals("billed", headers.get(key("x-goog-user-project")));
    }

    @Test
    void credentialsThatAreNotFoundEndTheCallAndSayWhy() {
        TokenSource none = TokenSource.builder().environment(Map.of("NO_GCE_CHECK", "true")::get).build();
        StatusRuntimeException refused = assertThrows(StatusRuntimeException.class, () -> Kind.UNARY.call(
                orders.channel(IdTokenCallCredentials.builder().source(none).build())));
        assertEquals(Status.Code.UNAUTHENTICATED, refused.getStatus().getCode());
        assertEquals(ErrorCode.CREDENTIALS_NOT_FOUND, ((CredentialsException) refused.getCause()).code());
    }

    @Test
    void aTokenThatCannotBeHadNowIsUnavailable() {
        emulator.fault(Map.of("path", IDENTITY, "status", 503, "times", 100));
        StatusRuntimeException refused = assertThrows(
                StatusRuntimeException.class, () -> Kind.UNARY.call(orders.channel(credentials)));
        assertEquals(Status.Code.UNAVAILABLE, refused.getStatus().getCode());
    }

    @Test
    void manyColdCallsMakeOneFetch() {
        Channel channel = orders.channel(credentials);
        List<Answers> calls = Stream.generate(() -> Kind.UNARY.start(channel, Orders.SERVICE, CallOptions.DEFAULT))
                .limit(64).toList();
        calls.forEach(call -> assertEquals(List.of(ACCOUNT), call.await()));
        assertEquals(1, emulator.requests(IDENTITY));
    }

    @Test
    void aTokenThatIsAtHandComesOnTheCallersThread() throws IOException {
        InetAddress peer = InetAddress.getLoopbackAddress();
        Applied.by(credentials, Orders.AUTHORITY, SecurityLevel.PRIVACY_AND_INTEGRITY, peer).headers.join();
        Applied warm = Applied.by(credentials, Orders.AUTHORITY, SecurityLevel.PRIVACY_AND_INTEGRITY, peer);
        assertTrue(warm.headers.isDone());
        assertEquals(Thread.currentThread(), warm.thread);
    }

    /** One channel, called for a day, and no word about tokens. */
    @Test
    void aChannelOutlivesItsTokens() {
        Channel channel = orders.channel(credentials);
        for (int hour = 0; hour < 24; hour++) {
            emulator.setClockOffset(Duration.ofHours(hour));
            for (int call = 0; call < 5; call++) {
                assertEquals(List.of(ACCOUNT), Kind.UNARY.call(channel));
            }
        }
        assertEquals(24, orders.received().stream().map(headers -> headers.get(AUTHORIZATION)).distinct().count());
    }

    @Test
    void theDeadlineOfACallEndsItsOwnWaitOnly() throws Exception {
        try (HeldServer held = new HeldServer()) {
            TokenSource source = TokenSource.builder()
                    .environment(Map.of("GCE_METADATA_HOST", held.hostAndPort())::get).build();
            Channel channel = orders.channel(IdTokenCallCredentials.builder().source(source).build());
            Context.CancellableContext hurried = Context.current().withCancellation();
            Answers late = Kind.UNARY.start(channel, Orders.SERVICE,
                    CallOptions.DEFAULT.withDeadlineAfter(200, TimeUnit.MILLISECONDS));
            Answers cancelled = hurried.call(
                    () -> Kind.UNARY.start(channel, Orders.SERVICE, CallOptions.DEFAULT));
            Answers patient = Kind.UNARY.start(channel, Orders.SERVICE, CallOptions.DEFAULT);
            HttpExchange fetch = held.next();
            assertEquals(Status.Code.DEADLINE_EXCEEDED, failure(late).getStatus().getCode());
            hurried.cancel(null);
            assertEquals(Status.Code.CANCELLED, failure(cancelled).getStatus().getCode());
            HeldServer.answer(fetch, "text/html",
                    emulator.mint(Map.of("claims", Map.of("aud", Orders.AUDIENCE, "email", ACCOUNT))));
            assertEquals(List.of(ACCOUNT), patient.await());
            assertEquals(List.of(ACCOUNT), Kind.UNARY.call(channel));
            assertEquals(1, held.count());
        }
    }

    @Test
    void nothingIsLeftWhenTheChannelIsClosed() throws Exception {
        assertEquals(List.of(ACCOUNT), Kind.UNARY.call(orders.channel(credentials)));
        orders.close();
        // Threads of gatepass end two seconds after their last work; JUnit's timeout bounds this.
        while (Thread.getAllStackTraces().keySet().stream().anyMatch(thread -> thread.getName().equals("gatepass"))) {
            Thread.onSpinWait();
        }
    }

    @Test
    void noTokenIsShown() {
        assertEquals("IdTokenCallCredentials", credentials.toString());
        assertEquals("AccessTokenCallCredentials", AccessTokenCallCredentials.create().toString());
    }

    private static StatusRuntimeException failure(Answers answers) {
        return assertThrows(StatusRuntimeException.class, answers::await);
    }

    static String codeOf(StatusRuntimeException refused) {
        return refused.getStatus().getDescription().split(":")[0];
    }

    private static Metadata.Key<String> key(String name) {
        return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
    }

    /** What credentials have made of a call that no channel has sent. */
    private static final class Applied extends CallCredentials.MetadataApplier {
        private final CompletableFuture<Metadata> headers = new CompletableFuture<>();
        private volatile Status status;
        private volatile Thread thread;

        static Applied by(CallCredentials credentials, String authority, SecurityLevel level, InetAddress peer) {
            Applied applied = new Applied();
            credentials.applyRequestMetadata(new CallCredentials.RequestInfo() {
                @Override
                public MethodDescriptor<?, ?> getMethodDescriptor() {
                    return Kind.UNARY.method(Orders.SERVICE);
                }

                @Override
                public CallOptions getCallOptions() {
                    return CallOptions.DEFAULT;
                }

                @Override
                public SecurityLevel getSecurityLevel() {
                    return level;
                }

                @Override
                public String getAuthority() {
                    return authority;
                }

                @Override
                public Attributes getTransportAttrs() {
                    return Attributes.newBuilder()
                            .set(Grpc.TRANSPORT_ATTR_REMOTE_ADDR, new InetSocketAddress(peer, 443)).build();
                }
            }, Runnable::run, applied);
            return applied;
        }

        Status.Code code() {
            return status == null ? null : status.getCode();
        }

        @Override
        public void apply(Metadata made) {
            thread = Thread.currentThread();
            headers.complete(made);
        }

        @Override
        public void fail(Status failure) {
            status = failure;
            headers.complete(null);
        }
    }
}
