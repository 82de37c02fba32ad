package dev.gatepass;

import dev.gatepass.testing.Emulator;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.HashMap;
import java.util.Map;

/** One emulator for all tests. */
public final class Emulators {
    /** The path of ID tokens on the metadata server. */
    public static final String IDENTITY = "/computeMetadata/v1/instance/service-accounts/default/identity";
    /** The path of Google's keys. */
    public static final String KEYS = "/oauth2/v3/certs";

    private static final Emulator SHARED = Emulator.start();

    private Emulators() {}

    /** The emulator, with no request counted and no fault ordered. */
    public static Emulator fresh() {
        SHARED.reset();
        return SHARED;
    }

    /** A source with the text of a credential file, which may run programs. */
    static TokenSource.Builder tokenSource(String file) {
        Map<String, String> allowing = new HashMap<>(SHARED.environment());
        allowing.put("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1");
        return SHARED.tokenSource(file).environment(allowing::get);
    }

    /** Has Java trust the emulator's TLS from now on: a store in this folder with its authority. */
    static void trust(Path folder) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setCertificateEntry("emulator", CertificateFactory.getInstance("X.509").generateCertificate(
                new ByteArrayInputStream(SHARED.run("emulator", "ca").getBytes(StandardCharsets.UTF_8))));
        Path file = folder.resolve("trust.p12");
        try (OutputStream stream = Files.newOutputStream(file)) {
            store.store(stream, "changeit".toCharArray());
        }
        System.setProperty("javax.net.ssl.trustStore", file.toString());
        System.setProperty("javax.net.ssl.trustStorePassword", "changeit");
    }

    /** Has Java trust whom it trusted before. */
    static void distrust() {
        System.clearProperty("javax.net.ssl.trustStore");
        System.clearProperty("javax.net.ssl.trustStorePassword");
    }
}
