import com.google.auth.oauth2.IdTokenCredentials;
import com.google.auth.oauth2.ServiceAccountCredentials;
import com.sun.management.OperatingSystemMXBean;
import dev.gatepass.TokenSource;
import dev.gatepass.Verifier;
import dev.gatepass.grpc.IdTokenCallCredentials;
import dev.gatepass.grpc.IdTokenInterceptor;
import io.grpc.CallCredentials;
import io.grpc.CallOptions;
import io.grpc.ChannelCredentials;
import io.grpc.CompositeChannelCredentials;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.TlsChannelCredentials;
import io.grpc.TlsServerCredentials;
import io.grpc.auth.MoreCallCredentials;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.List;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.TrustManagerFactory;

/**
 * R: unary calls without content, over TLS, one after the other, whose token is at hand. The processor time is that of
 * both sides. "bare" has no token, "gatepass" and "grpc-auth" attach one that the server does not look at, and
 * "gatepass, and its server" has it checked as well.
 */
final class GrpcJobs {
    private static final char[] PASSWORD = "changeit".toCharArray();
    private static final MethodDescriptor<byte[], byte[]> METHOD = MethodDescriptor.newBuilder(bytes(), bytes())
            .setType(MethodDescriptor.MethodType.UNARY).setFullMethodName("bench.Empty/Call").build();

    private GrpcJobs() {}

    static List<Job> all() {
        return List.of(new Job("R", "op/s", GrpcJobs::calls));
    }

    private static List<Job.Contender> calls(List<AutoCloseable> last) throws Exception {
        Issuer issuer = Issuer.google();
        String audience = issuer.policy().audience();
        TokenEndpoint endpoint = new TokenEndpoint(issuer.token(audience, 0), 0);
        last.add(endpoint);
        String account = Account.file(issuer, endpoint.url().toString());
        CallCredentials ours = IdTokenCallCredentials.builder()
                .source(TokenSource.builder().credentialsJson(account)
                        .trustedEndpoints(endpoint.url().getAuthority()).build())
                .audience(audience).build();
        CallCredentials theirs = MoreCallCredentials.from(IdTokenCredentials.newBuilder()
                .setIdTokenProvider(ServiceAccountCredentials.fromStream(
                        new ByteArrayInputStream(account.getBytes(StandardCharsets.UTF_8))))
                .setTargetAudience(audience).build());
        ServerInterceptor check = new IdTokenInterceptor(
                Verifier.builder().google().audience(audience).keys(issuer.policy().keySet()).build());
        KeyStore certified = certified();
        return List.of(
                contender("bare", "grpc", null, certified, null, last),
                contender("gatepass", "gatepass", ours, certified, null, last),
                contender("gatepass, and its server", "gatepass", ours, certified, check, last),
                contender("grpc-auth", "grpc", theirs, certified, null, last));
    }

    private static Job.Contender contender(String peer, String library, CallCredentials token, KeyStore certified,
            ServerInterceptor check, List<AutoCloseable> last) throws IOException, GeneralSecurityException {
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(certified, PASSWORD);
        ServerBuilder<?> builder = Grpc.newServerBuilderForPort(
                        0, TlsServerCredentials.newBuilder().keyManager(keys.getKeyManagers()).build())
                .addService(ServerServiceDefinition.builder("bench.Empty")
                        .addMethod(METHOD, ServerCalls.asyncUnaryCall((request, answer) -> {
                            answer.onNext(request);
                            answer.onCompleted();
                        })).build());
        Server server = (check == null ? builder : builder.intercept(check)).build().start();
        last.add(server::shutdownNow);
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(certified);
        ChannelCredentials tls = TlsChannelCredentials.newBuilder().trustManager(trust.getTrustManagers()).build();
        ManagedChannel channel = Grpc.newChannelBuilder("127.0.0.1:" + server.getPort(),
                token == null ? tls : CompositeChannelCredentials.create(tls, token)).build();
        last.add(channel::shutdownNow);
        byte[] nothing = {};
        return new Job.Contender(peer, library, seconds -> {
            var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
            long begin = system.getProcessCpuTime();
            long end = System.nanoTime() + (long) (seconds * 1e9);
            long calls = 0;
            while (System.nanoTime() < end) {
                ClientCalls.blockingUnaryCall(channel, METHOD, CallOptions.DEFAULT, nothing);
                calls++;
            }
            return Map.of("R", calls * 1e9 / (system.getProcessCpuTime() - begin));
        });
    }

    /** A certificate that has signed itself, made by the JDK's keytool, and trusted as well. */
    private static KeyStore certified() throws IOException, InterruptedException, GeneralSecurityException {
        Path folder = Files.createTempDirectory("gatepass-bench");
        Path file = folder.resolve("server.p12");
        Process keytool = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair",
                "-keystore", file.toString(), "-storetype", "PKCS12", "-storepass", new String(PASSWORD),
                "-keyalg", "EC", "-alias", "server", "-dname", "CN=server", "-ext", "SAN=ip:127.0.0.1")
                .redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        if (keytool.waitFor() != 0) {
            throw new IOException("keytool has failed");
        }
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream stream = Files.newInputStream(file)) {
            store.load(stream, PASSWORD);
        }
        store.setCertificateEntry("authority", store.getCertificate("server"));
        Files.delete(file);
        Files.delete(folder);
        return store;
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
