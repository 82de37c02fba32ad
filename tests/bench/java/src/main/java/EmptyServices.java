import dev.gatepass.Verifier;
import dev.gatepass.grpc.IdTokenInterceptor;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.TlsServerCredentials;
import io.grpc.stub.ServerCalls;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;

/**
 * The servers of R, of which one checks tokens, one has an interceptor that does nothing, and one has none. Prints their
 * ports, in the order of {@link #NAMES}; for each line of its standard input, the processor time that it has used, in
 * nanoseconds; and ends when that closes.
 */
public final class EmptyServices {
    static final List<String> NAMES = List.of("bare", "empty interceptor", "gatepass");
    static final char[] PASSWORD = "changeit".toCharArray();
    static final MethodDescriptor<byte[], byte[]> METHOD = MethodDescriptor.newBuilder(bytes(), bytes())
            .setType(MethodDescriptor.MethodType.UNARY).setFullMethodName("bench.Empty/Call").build();

    private EmptyServices() {}

    public static void main(String[] arguments) throws Exception {
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(certified(Path.of(arguments[0])), PASSWORD);
        Policy policy = Policy.read(Files.readAllLines(Path.of(arguments[1])));
        List<String> ports = new ArrayList<>();
        for (String name : NAMES) {
            ServerBuilder<?> builder = Grpc.newServerBuilderForPort(
                    0, TlsServerCredentials.newBuilder().keyManager(keys.getKeyManagers()).build());
            switch (name) {
                case "gatepass" -> builder.intercept(new IdTokenInterceptor(
                        Verifier.builder().google().audience(policy.audience()).keys(policy.keySet()).build()));
                case "empty interceptor" -> builder.intercept(new Nothing());
                default -> { }
            }
            Server server = builder.addService(ServerServiceDefinition.builder("bench.Empty")
                    .addMethod(METHOD, ServerCalls.asyncUnaryCall((request, answer) -> {
                        answer.onNext(request);
                        answer.onCompleted();
                    })).build()).build().start();
            ports.add(Integer.toString(server.getPort()));
        }
        System.out.println(String.join(" ", ports));
        ProcessorTime time = new ProcessorTime();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        while (input.readLine() != null) {
            System.out.println(time.used());
        }
        System.exit(0);
    }

    static KeyStore certified(Path file) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream stream = Files.newInputStream(file)) {
            store.load(stream, PASSWORD);
        }
        return store;
    }

    private static final class Nothing implements ServerInterceptor {
        @Override
        public <Q, S> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, S> call, Metadata headers, ServerCallHandler<Q, S> next) {
            return next.startCall(call, headers);
        }
    }

    private static MethodDescriptor.Marshaller<byte[]> bytes() {
        return new MethodDescriptor.Marshaller<>() {
            @Override
            public InputStream stream(byte[] message) {
                return new ByteArrayInputStream(message);
            }

            @Override
            public byte[] parse(InputStream message) {
                return new byte[0];
            }
        };
    }
}
