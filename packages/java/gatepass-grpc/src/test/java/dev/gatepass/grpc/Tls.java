package dev.gatepass.grpc;

import io.grpc.ChannelCredentials;
import io.grpc.ServerCredentials;
import io.grpc.TlsChannelCredentials;
import io.grpc.TlsServerCredentials;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.TrustManagerFactory;

/** A certificate that has signed itself, made by the JDK's keytool. */
record Tls(KeyStore store) {
    private static final String PASSWORD = "changeit";

    /** For hosts such as {@code dns:orders.example}. */
    static Tls forHosts(String... hosts) {
        try {
            Path file = Files.createTempDirectory("gatepass").resolve("server.p12");
            Process keytool = new ProcessBuilder(
                    Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair",
                    "-keystore", file.toString(), "-storetype", "PKCS12", "-storepass", PASSWORD, "-keyalg", "EC",
                    "-alias", "server", "-dname", "CN=server", "-ext", "SAN=" + String.join(",", hosts))
                    .redirectErrorStream(true).start();
            String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (keytool.waitFor() != 0) {
                throw new AssertionError(said);
            }
            KeyStore pair = KeyStore.getInstance("PKCS12");
            try (InputStream stream = Files.newInputStream(file)) {
                pair.load(stream, PASSWORD.toCharArray());
            }
            Files.delete(file);
            Files.delete(file.getParent());
            return new Tls(pair);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        } catch (GeneralSecurityException | InterruptedException failure) {
            throw new AssertionError(failure);
        }
    }

    ServerCredentials server() {
        try {
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(store, PASSWORD.toCharArray());
            return TlsServerCredentials.newBuilder().keyManager(keys.getKeyManagers()).build();
        } catch (GeneralSecurityException failure) {
            throw new AssertionError(failure);
        }
    }

    /** Of a client that trusts this certificate and no other. */
    ChannelCredentials client() {
        try {
            KeyStore trusted = KeyStore.getInstance("PKCS12");
            trusted.load(null, null);
            trusted.setCertificateEntry("server", store.getCertificate("server"));
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(trusted);
            return TlsChannelCredentials.newBuilder().trustManager(trust.getTrustManagers()).build();
        } catch (IOException | GeneralSecurityException failure) {
            throw new AssertionError(failure);
        }
    }
}
