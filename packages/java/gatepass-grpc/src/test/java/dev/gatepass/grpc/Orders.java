package dev.gatepass.grpc;

import dev.gatepass.Claims;
import dev.gatepass.Verifier;
import io.grpc.CallCredentials;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientCall;
import io.grpc.CompositeChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * A server with a method of each kind, on the loopback interface, with TLS and without. Each answer is the e-mail of
 * the caller, or {@code nobody}.
 */
final class Orders implements AutoCloseable {
    /** As the calls name it, wherever it listens. */
    static final String AUTHORITY = "orders.example";
    static final String AUDIENCE = "https://orders.example";
    static final String SERVICE = "shop.Orders";
    static final String OPEN_SERVICE = "grpc.health.v1.Health";
    /** How many messages a stream has. */
    static final int MESSAGES = 3;

    private static final Tls TLS = Tls.forHosts("dns:" + AUTHORITY, "dns:other.example");

    private final Server encrypted;
    private final Server plaintext;
    private final Queue<Metadata> received = new ConcurrentLinkedQueue<>();
    private final List<ManagedChannel> channels = new ArrayList<>();

    Orders(Verifier verifier) {
        this(IdTokenInterceptor.builder(verifier).openServices(OPEN_SERVICE).build(), server -> server);
    }

    Orders(ServerInterceptor interceptor, UnaryOperator<ServerBuilder<?>> options) {
        encrypted = start(TLS.server(), interceptor, options);
        plaintext = start(InsecureServerCredentials.create(), interceptor, options);
    }

    /** A channel over TLS whose calls carry nothing. */
    ManagedChannel channel() {
        return channel(null, AUTHORITY);
    }

    /** A channel over TLS. */
    ManagedChannel channel(CallCredentials credentials) {
        return channel(credentials, AUTHORITY);
    }

    ManagedChannel channel(CallCredentials credentials, String authority) {
        return opened(builder(encryptedAddress(), TLS.client(), credentials, authority));
    }

    /** A channel without TLS. */
    ManagedChannel plaintextChannel(CallCredentials credentials) {
        return plaintextChannel(plaintextAddress(), credentials);
    }

    /** A channel without TLS to whoever is in front of this server. */
    ManagedChannel plaintextChannel(String address, CallCredentials credentials) {
        return opened(builder(address, InsecureChannelCredentials.create(), credentials, AUTHORITY));
    }

    String plaintextAddress() {
        return "127.0.0.1:" + plaintext.getPort();
    }

    /** Builds a channel over TLS, with more options. */
    ManagedChannel channel(CallCredentials credentials, UnaryOperator<ManagedChannelBuilder<?>> options) {
        return opened(options.apply(builder(encryptedAddress(), TLS.client(), credentials, AUTHORITY)));
    }

    /** The headers of each call, in the order in which they came. */
    List<Metadata> received() {
        return List.copyOf(received);
    }

    @Override
    public void close() throws InterruptedException {
        channels.forEach(ManagedChannel::shutdownNow);
        encrypted.shutdownNow();
        plaintext.shutdownNow();
        for (ManagedChannel channel : channels) {
            channel.awaitTermination(30, TimeUnit.SECONDS);
        }
        encrypted.awaitTermination(30, TimeUnit.SECONDS);
        plaintext.awaitTermination(30, TimeUnit.SECONDS);
    }

    private String encryptedAddress() {
        return "127.0.0.1:" + encrypted.getPort();
    }

    private ManagedChannel opened(ManagedChannelBuilder<?> builder) {
        ManagedChannel channel = builder.build();
        channels.add(channel);
        return channel;
    }

    private static ManagedChannelBuilder<?> builder(
            String address, ChannelCredentials channel, CallCredentials call, String authority) {
        return Grpc.newChannelBuilder(
                        address, call == null ? channel : CompositeChannelCredentials.create(channel, call))
                .overrideAuthority(authority);
    }

    private Server start(
            ServerCredentials credentials, ServerInterceptor interceptor, UnaryOperator<ServerBuilder<?>> options) {
        ServerInterceptor recorder = new ServerInterceptor() {
            @Override
            public <Q, S> ServerCall.Listener<Q> interceptCall(
                    ServerCall<Q, S> call, Metadata headers, ServerCallHandler<Q, S> next) {
                received.add(headers);
                return next.startCall(call, headers);
            }
        };
        try {
            return options.apply(Grpc.newServerBuilderForPort(0, credentials)
                    .addService(service(SERVICE)).addService(service(OPEN_SERVICE))
                    .intercept(interceptor).intercept(recorder)) // The last one is the first to see a call.
                    .build().start();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static ServerServiceDefinition service(String name) {
        return ServerServiceDefinition.builder(name)
                .addMethod(Kind.UNARY.method(name), ServerCalls.asyncUnaryCall((request, answers) -> {
                    answers.onNext(caller());
                    answers.onCompleted();
                }))
                .addMethod(Kind.SERVER_STREAMING.method(name),
                        ServerCalls.asyncServerStreamingCall((request, answers) -> {
                            IntStream.range(0, MESSAGES).forEach(number -> answers.onNext(caller()));
                            answers.onCompleted();
                        }))
                .addMethod(Kind.CLIENT_STREAMING.method(name), ServerCalls.asyncClientStreamingCall(answers ->
                        new Requests(request -> {}, () -> {
                            answers.onNext(caller());
                            answers.onCompleted();
                        })))
                .addMethod(Kind.BIDI_STREAMING.method(name), ServerCalls.asyncBidiStreamingCall(answers ->
                        new Requests(request -> answers.onNext(caller()), answers::onCompleted)))
                .build();
    }

    private static String caller() {
        Claims claims = IdTokenInterceptor.CLAIMS.get();
        return claims == null ? "nobody" : claims.email();
    }

    /** The four kinds of calls. */
    enum Kind {
        UNARY, SERVER_STREAMING, CLIENT_STREAMING, BIDI_STREAMING;

        MethodDescriptor<String, String> method(String service) {
            return MethodDescriptor.newBuilder(TEXT, TEXT)
                    .setType(MethodType.valueOf(name()))
                    .setFullMethodName(MethodDescriptor.generateFullMethodName(service, name()))
                    .build();
        }

        /** How many answers such a call has. */
        int answers() {
            return this == SERVER_STREAMING || this == BIDI_STREAMING ? MESSAGES : 1;
        }

        /** Calls it, and waits for all answers. */
        List<String> call(Channel channel) {
            return start(channel, SERVICE, CallOptions.DEFAULT).await();
        }

        Answers start(Channel channel, String service, CallOptions options) {
            ClientCall<String, String> call = channel.newCall(method(service), options);
            Answers answers = new Answers();
            switch (this) {
                case UNARY -> ClientCalls.asyncUnaryCall(call, "request", answers);
                case SERVER_STREAMING -> ClientCalls.asyncServerStreamingCall(call, "request", answers);
                case CLIENT_STREAMING -> send(ClientCalls.asyncClientStreamingCall(call, answers));
                case BIDI_STREAMING -> send(ClientCalls.asyncBidiStreamingCall(call, answers));
            }
            return answers;
        }

        private static void send(StreamObserver<String> requests) {
            IntStream.range(0, MESSAGES).forEach(number -> requests.onNext("request"));
            requests.onCompleted();
        }
    }

    /** The answers to a call. */
    static final class Answers implements StreamObserver<String> {
        private final List<String> texts = new ArrayList<>();
        private final CompletableFuture<List<String>> all = new CompletableFuture<>();

        /** Waits for the end of the call; fails as it has failed. */
        List<String> await() {
            try {
                return all.get(60, TimeUnit.SECONDS);
            } catch (ExecutionException failed) {
                throw (RuntimeException) failed.getCause(); // gRPC's StatusRuntimeException.
            } catch (InterruptedException | TimeoutException late) {
                throw new AssertionError(late);
            }
        }

        boolean isDone() {
            return all.isDone();
        }

        @Override
        public void onNext(String answer) {
            texts.add(answer);
        }

        @Override
        public void onError(Throwable failure) {
            all.completeExceptionally(failure);
        }

        @Override
        public void onCompleted() {
            all.complete(List.copyOf(texts));
        }
    }

    private record Requests(Consumer<String> each, Runnable end) implements StreamObserver<String> {
        @Override
        public void onNext(String request) {
            each.accept(request);
        }

        @Override
        public void onError(Throwable failure) {}

        @Override
        public void onCompleted() {
            end.run();
        }
    }

    private static final MethodDescriptor.Marshaller<String> TEXT = new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(String text) {
            return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public String parse(InputStream bytes) {
            try {
                return new String(bytes.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException failure) {
                throw new UncheckedIOException(failure);
            }
        }
    };
}
