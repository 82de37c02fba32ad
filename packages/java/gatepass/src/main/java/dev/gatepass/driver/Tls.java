package dev.gatepass.driver;

import dev.gatepass.driver.Pem.UnusableFile;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/** TLS with certificates from files. They are read each time: certificates are renewed while a program runs. */
final class Tls {
    private static final char[] NO_PASSWORD = {};

    private Tls() {}

    /**
     * A context for one request.
     *
     * @param clientCertificate the paths {@code cert_path} and {@code key_path} of what is presented; null for nothing
     * @param authorities the path of the certificates that are trusted; null for those that Java trusts
     * @throws IOException if a file cannot be used; the message names it, and shows nothing of what it holds
     */
    static SSLContext context(Map<String, Object> clientCertificate, String authorities)
            throws IOException, GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(
                clientCertificate == null ? null : keyManagers(
                        (String) clientCertificate.get("cert_path"), (String) clientCertificate.get("key_path")),
                authorities == null ? null : trustManagers(authorities),
                null);
        return context;
    }

    private static KeyManager[] keyManagers(String certificatePath, String keyPath)
            throws IOException, GeneralSecurityException {
        List<Certificate> chain = certificates(certificatePath);
        PrivateKey key = PrivateKeyFile.read(keyPath, chain.get(0).getPublicKey());
        KeyStore store = emptyStore();
        try {
            store.setKeyEntry("client", key, NO_PASSWORD, chain.toArray(Certificate[]::new));
        } catch (KeyStoreException unchained) {
            throw new UnusableFile(certificatePath, "holds certificates that are no chain, each issued by the next");
        }
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(store, NO_PASSWORD);
        return managers.getKeyManagers();
    }

    private static TrustManager[] trustManagers(String path)
            throws IOException, GeneralSecurityException {
        KeyStore store = emptyStore();
        for (Certificate authority : certificates(path)) {
            store.setCertificateEntry("authority " + store.size(), authority);
        }
        TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(store);
        return managers.getTrustManagers();
    }

    /** The certificates of a PEM file, at least one; whatever else is in the file is left alone. */
    private static List<Certificate> certificates(String path) throws IOException {
        List<Certificate> certificates = new ArrayList<>();
        for (Pem block : Pem.read(path)) {
            if (block.label().equals("CERTIFICATE")) {
                try {
                    certificates.add(CertificateFactory.getInstance("X.509")
                            .generateCertificate(new ByteArrayInputStream(block.der())));
                } catch (CertificateException malformed) {
                    throw new UnusableFile(path, "holds a certificate that is none");
                }
            }
        }
        if (certificates.isEmpty()) {
            throw new UnusableFile(path, "holds no PEM certificate");
        }
        return certificates;
    }

    private static KeyStore emptyStore() throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }
}
