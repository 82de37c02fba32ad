package dev.gatepass;

import dev.gatepass.json.Utf8;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * A key with a certificate that it has signed itself, made by the JDK's keytool for one test.
 *
 * @param store a PKCS#12 file with both
 */
public record Certified(Path store) {
    public static final String PASSWORD = "changeit";

    private static final String NAME = "entry";

    /** A fresh key of {@code CN=name}, for TLS on 127.0.0.1. */
    public static Certified make(Path folder, String name, String... keyOptions) throws IOException, InterruptedException {
        Path store = folder.resolve(name + ".p12");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair",
                "-keystore", store.toString(), "-storetype", "PKCS12", "-storepass", PASSWORD,
                "-alias", NAME, "-dname", "CN=" + name, "-ext", "SAN=ip:127.0.0.1"));
        command.addAll(List.of(keyOptions));
        Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = Utf8.text(keytool.getInputStream().readAllBytes());
        if (keytool.waitFor() != 0) {
            throw new AssertionError(said);
        }
        return new Certified(store);
    }

    public KeyStore load() throws IOException, GeneralSecurityException {
        KeyStore loaded = KeyStore.getInstance("PKCS12");
        try (InputStream file = Files.newInputStream(store)) {
            loaded.load(file, PASSWORD.toCharArray());
        }
        return loaded;
    }

    public Certificate certificate() throws IOException, GeneralSecurityException {
        return load().getCertificate(NAME);
    }

    public Key key() throws IOException, GeneralSecurityException {
        return load().getKey(NAME, PASSWORD.toCharArray());
    }

    public static Path writePem(Path file, String label, byte[] der) throws IOException {
        String lines = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        return Files.writeString(file, "-----BEGIN " + label + "-----\n" + lines + "\n-----END " + label + "-----\n");
    }
}
