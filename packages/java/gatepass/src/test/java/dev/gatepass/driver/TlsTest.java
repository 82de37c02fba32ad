package dev.gatepass.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsExchange;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import dev.gatepass.Certified;
import dev.gatepass.HoldingServer;
import dev.gatepass.driver.Driver;
import dev.gatepass.json.Json;
import dev.gatepass.json.Utf8;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyStore;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Requests over TLS to a real server, which answers with the name on the certificate that it was shown. */
class TlsTest {
    @TempDir
    private static Path folder;

    private static HttpsServer server;

    @BeforeAll
    static void start() throws Exception {
        Certified rsa = Certified.make(folder, "rsa", "-keyalg", "RSA", "-keysize", "2048");
        Certified ec = Certified.make(folder, "ec", "-keyalg", "EC", "-groupname", "secp256r1");
        Certified host = Certified.make(folder, "host", "-keyalg", "EC", "-groupname", "secp256r1");
        Certified.writePem(folder.resolve("rsa.crt"), "CERTIFICATE", rsa.certificate().getEncoded());
        Certified.writePem(folder.resolve("ec.crt"), "CERTIFICATE", ec.certificate().getEncoded());
        Certified.writePem(folder.resolve("host.crt"), "CERTIFICATE", host.certificate().getEncoded());
        byte[] rsaKey = rsa.key().getEncoded();
        byte[] ecKey = ec.key().getEncoded();
        Certified.writePem(folder.resolve("rsa.pkcs8"), "PRIVATE KEY", rsaKey);
        Certified.writePem(folder.resolve("ec.pkcs8"), "PRIVATE KEY", ecKey);
        // PKCS#8 of these keys is the older form, as the last member, after so many bytes.
        byte[] pkcs1 = Arrays.copyOfRange(rsaKey, 26, rsaKey.length);
        byte[] sec1 = Arrays.copyOfRange(ecKey, 28, ecKey.length);
        Certified.writePem(folder.resolve("rsa.pkcs1"), "RSA PRIVATE KEY", pkcs1);
        Certified.writePem(folder.resolve("ec.sec1"), "EC PRIVATE KEY", sec1);

        server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setHttpsConfigurator(new Configurator(context(host, rsa, ec)));
        server.createContext("/", exchange -> {
            String name;
            try {
                name = ((HttpsExchange) exchange).getSSLSession().getPeerPrincipal().getName();
            } catch (SSLPeerUnverifiedException none) {
                name = "nobody";
            }
            HoldingServer.answer(exchange, 200, "text/plain", name);
        });
        server.start();
    }

    @AfterAll
    static void stop() {
        server.stop(0);
    }

    @ParameterizedTest
    @CsvSource({"rsa.crt, rsa.pkcs8", "rsa.crt, rsa.pkcs1", "ec.crt, ec.pkcs8", "ec.crt, ec.sec1"})
    void theCertificateIsPresented(String certificate, String key) throws Exception {
        assertAnswer(certificate.equals("rsa.crt") ? "CN=rsa" : "CN=ec", send(certificate, key, "host.crt"));
    }

    @Test
    void keyAndCertificateMayStandInOneFileBesideOtherText() throws Exception {
        Files.writeString(folder.resolve("all.pem"), "Subject: rsa\n" + read("rsa.pkcs8") + read("rsa.crt"));
        assertAnswer("CN=rsa", send("all.pem", "all.pem", "host.crt"));
    }

    @Test
    void withoutOneNoneIsPresented() throws Exception {
        assertAnswer("nobody", send(null, null, "host.crt"));
    }

    @Test
    void filesAreReadAnewForEachRequest() throws Exception {
        Path certificate = Files.copy(folder.resolve("rsa.crt"), folder.resolve("current.crt"));
        Path key = Files.copy(folder.resolve("rsa.pkcs8"), folder.resolve("current.key"));
        assertAnswer("CN=rsa", send("current.crt", "current.key", "host.crt"));
        Files.copy(folder.resolve("ec.crt"), certificate, StandardCopyOption.REPLACE_EXISTING);
        Files.copy(folder.resolve("ec.pkcs8"), key, StandardCopyOption.REPLACE_EXISTING);
        assertAnswer("CN=ec", send("current.crt", "current.key", "host.crt"));
    }

    @Test
    void otherAuthoritiesAreTrustedInsteadOfTheSystems() throws Exception {
        assertEquals("untrusted_certificate", send("rsa.crt", "rsa.pkcs8", "ec.crt").get("kind"));
        assertEquals("untrusted_certificate", send("rsa.crt", "rsa.pkcs8", null).get("kind"), "Java trusts no such server");
    }

    @Test
    void withoutAuthoritiesThoseAreTrustedThatJavaTrusts() throws Exception {
        System.setProperty("javax.net.ssl.trustStore", folder.resolve("host.p12").toString());
        System.setProperty("javax.net.ssl.trustStorePassword", Certified.PASSWORD);
        try {
            assertAnswer("CN=rsa", send("rsa.crt", "rsa.pkcs8", null));
        } finally {
            System.clearProperty("javax.net.ssl.trustStore");
            System.clearProperty("javax.net.ssl.trustStorePassword");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "nowhere, rsa.pkcs8, host.crt, nowhere cannot be read (NoSuchFileException)",
        "rsa.crt, nowhere, host.crt, nowhere cannot be read (NoSuchFileException)",
        "rsa.crt, rsa.pkcs8, nowhere, nowhere cannot be read (NoSuchFileException)",
        "rsa.pkcs8, rsa.pkcs8, host.crt, rsa.pkcs8 holds no PEM certificate",
        "rsa.crt, rsa.pkcs8, rsa.pkcs8, rsa.pkcs8 holds no PEM certificate",
        "broken, rsa.pkcs8, host.crt, broken holds a certificate that is none",
        "odd, rsa.pkcs8, host.crt, odd is no PEM file",
        "two, rsa.pkcs8, host.crt, 'two holds certificates that are no chain, each issued by the next'",
        "rsa.crt, rsa.crt, host.crt, 'rsa.crt holds 0 PEM private keys, expected one'",
        "rsa.crt, ec.pkcs8, host.crt, 'ec.pkcs8 does not hold the private key of the certificate, or has it encrypted'",
        "rsa.crt, ec.sec1, host.crt, 'ec.sec1 does not hold the private key of the certificate, or has it encrypted'",
        "ec.crt, other, host.crt, 'other does not hold the private key of the certificate, or has it encrypted'",
        "rsa.crt, secret, host.crt, 'secret does not hold the private key of the certificate, or has it encrypted'",
    })
    void aFileThatCannotBeUsedIsNamedAndNotShown(String certificate, String key, String authorities, String message)
            throws Exception {
        Certified.writePem(folder.resolve("broken"), "CERTIFICATE", Utf8.bytes("hush"));
        Files.writeString(folder.resolve("odd"), "-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n");
        Files.writeString(folder.resolve("two"), read("rsa.crt") + read("ec.crt"));
        Certified.writePem(folder.resolve("secret"), "ENCRYPTED PRIVATE KEY", Utf8.bytes("hush"));
        if (!Files.exists(folder.resolve("other.p12"))) {
            Certified other = Certified.make(folder, "other", "-keyalg", "EC", "-groupname", "secp256r1");
            Certified.writePem(folder.resolve("other"), "PRIVATE KEY", other.key().getEncoded());
        }
        Map<String, Object> reply = send(certificate, key, authorities);
        assertEquals(Map.of("reply", "failed", "kind", "other", "message", folder + "/" + message), reply);
    }

    /** What the driver does with the core's wish to send a request with these files of the folder. */
    private static Map<String, Object> send(String certificate, String key, String authorities) throws Exception {
        Map<String, Object> step = Json.members();
        step.put("method", "GET");
        step.put("url", "https://127.0.0.1:" + server.getAddress().getPort() + "/");
        step.put("headers", List.of());
        step.put("body", null);
        step.put("timeout_ms", 30_000L);
        step.put("proxy", null);
        step.put("client_certificate", certificate == null ? null : Map.of(
                "cert_path", folder.resolve(certificate).toString(), "key_path", folder.resolve(key).toString()));
        if (authorities != null) {
            step.put("ca_certificate_path", folder.resolve(authorities).toString());
        }
        return Exchange.send(step, new Bounds(1 << 20, 1 << 16));
    }

    private static void assertAnswer(String name, Map<String, Object> reply) {
        assertEquals(name, reply.get("body"), reply::toString);
    }

    private static String read(String file) throws Exception {
        return Files.readString(folder.resolve(file));
    }

    private static SSLContext context(Certified host, Certified... clients) throws Exception {
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(host.load(), Certified.PASSWORD.toCharArray());
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        for (Certified client : clients) {
            trusted.setCertificateEntry(client.store().toString(), client.certificate());
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    /** Asks for a certificate, and goes on without. */
    private static final class Configurator extends HttpsConfigurator {
        Configurator(SSLContext context) {
            super(context);
        }

        @Override
        public void configure(HttpsParameters parameters) {
            SSLParameters wanted = getSSLContext().getDefaultSSLParameters();
            wanted.setWantClientAuth(true);
            parameters.setSSLParameters(wanted);
        }
    }
}
