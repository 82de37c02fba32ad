import com.google.auth.oauth2.IdTokenCredentials;
import com.google.auth.oauth2.ServiceAccountCredentials;
import dev.gatepass.TokenSource;
import dev.gatepass.grpc.IdTokenCallCredentials;
import io.grpc.CallCredentials;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.CompositeChannelCredentials;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.TlsChannelCredentials;
import io.grpc.auth.MoreCallCredentials;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import javax.net.ssl.TrustManagerFactory;

/**
 * R: unary calls without content, over TLS, one after the other, whose token is at hand, and the processor time that one
 * takes in the process of the client, and in that of the server.
 */
final class GrpcJobs {
    /** Rounds are short, and many: what else the machine does changes a long one more than a token may. */
    private static final int CALLS = 200;
    private static final int WARM_UP_CALLS = 6_000;

    private GrpcJobs() {}

    static List<Job> all() {
        return List.of(new Job(Map.of("R-client", "us", "R-server", "us"), Job.Length.SHORT, GrpcJobs::calls));
    }

    private static List<Job.Contender> calls(List<AutoCloseable> last) throws Exception {
        Issuer issuer = Issuer.google();
        String audience = issuer.policy().audience();
        String token = issuer.token(audience, 0);
        TokenEndpoint endpoint = new TokenEndpoint(token, 0);
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
        Metadata header = new Metadata();
        header.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
        ClientInterceptor constant = MetadataUtils.newAttachHeadersInterceptor(header);
        Path certificate = makeCertificate(last);
        Servers servers = new Servers(ProcessJobs.start("EmptyServices", certificate.toString(),
                ProcessJobs.material(last, issuer.policy(), List.of()), List.of()), certificate);
        last.add(servers);
        List<Job.Contender> contenders = new ArrayList<>();
        contenders.add(contender("bare", "grpc", servers, "bare", null, null, last));
        contenders.add(contender("constant header", "grpc", servers, "bare", null, constant, last));
        contenders.add(contender("empty credentials", "grpc", servers, "bare", new Constant(header), null, last));
        contenders.add(contender("empty interceptor", "grpc", servers, "empty interceptor", null, constant, last));
        contenders.add(contender("gatepass", "gatepass", servers, "bare", ours, null, last));
        contenders.add(contender("gatepass, its server", "gatepass", servers, "gatepass", null, constant, last));
        contenders.add(contender("grpc-auth", "grpc", servers, "bare", theirs, null, last));
        return contenders;
    }

    private static Job.Contender contender(String peer, String library, Servers servers, String server,
            CallCredentials token, ClientInterceptor interceptor, List<AutoCloseable> last) throws Exception {
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(servers.certified);
        ChannelCredentials tls = TlsChannelCredentials.newBuilder().trustManager(trust.getTrustManagers()).build();
        ManagedChannel managed = Grpc.newChannelBuilder("127.0.0.1:" + servers.ports.get(server),
                token == null ? tls : CompositeChannelCredentials.create(tls, token)).build();
        last.add(managed::shutdownNow);
        Channel channel = interceptor == null ? managed : ClientInterceptors.intercept(managed, interceptor);
        call(channel, WARM_UP_CALLS);
        return new Job.Contender(peer, library, seconds -> servers.costOf(channel));
    }

    private static void call(Channel channel, int calls) {
        byte[] nothing = {};
        for (int each = 0; each < calls; each++) {
            ClientCalls.blockingUnaryCall(channel, EmptyServices.METHOD, CallOptions.DEFAULT, nothing);
        }
    }

    /** Credentials that attach what never changes: the least that credentials cost. */
    private static final class Constant extends CallCredentials {
        private final Metadata header;

        Constant(Metadata header) {
            this.header = header;
        }

        @Override
        public void applyRequestMetadata(RequestInfo call, Executor executor, MetadataApplier applier) {
            applier.apply(header);
        }
    }

    /** All servers, in one process of their own. */
    private static final class Servers implements AutoCloseable {
        private final Process process;
        private final BufferedReader output;
        private final ProcessorTime ownTime = new ProcessorTime();
        private final Map<String, String> ports = new HashMap<>();
        private final KeyStore certified;

        Servers(Process process, Path certificate) throws Exception {
            this.process = process;
            output = process.inputReader();
            String[] found = output.readLine().split(" ");
            for (int each = 0; each < found.length; each++) {
                ports.put(EmptyServices.NAMES.get(each), found[each]);
            }
            certified = EmptyServices.certified(certificate);
            certified.setCertificateEntry("authority", certified.getCertificate("server"));
        }

        /** Of one call, in microseconds. */
        Map<String, Double> costOf(Channel channel) throws IOException {
            long client = ownTime.used();
            long server = used();
            call(channel, CALLS);
            return Map.of("R-client", (ownTime.used() - client) / 1e3 / CALLS,
                    "R-server", (used() - server) / 1e3 / CALLS);
        }

        private long used() throws IOException {
            process.outputWriter().write("\n");
            process.outputWriter().flush();
            return Long.parseLong(output.readLine());
        }

        @Override
        public void close() {
            process.destroy();
        }
    }

    /** A certificate that has signed itself, made by the JDK's keytool. */
    private static Path makeCertificate(List<AutoCloseable> last) throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("gatepass-bench");
        Path file = folder.resolve("server.p12");
        Process keytool = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair",
                "-keystore", file.toString(), "-storetype", "PKCS12",
                "-storepass", new String(EmptyServices.PASSWORD),
                "-keyalg", "EC", "-alias", "server", "-dname", "CN=server", "-ext", "SAN=ip:127.0.0.1")
                .redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        last.add(() -> {
            Files.delete(file);
            Files.delete(folder);
        });
        if (keytool.waitFor() != 0) {
            throw new IOException("keytool has failed");
        }
        return file;
    }
}
