import com.google.gson.JsonObject;
import dev.gatepass.Claims;
import dev.gatepass.Verifier;
import dev.gatepass.servlet.IdTokenFilter;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.EnumSet;
import org.eclipse.jetty.alpn.server.ALPNServerConnectionFactory;
import org.eclipse.jetty.ee10.servlet.FilterHolder;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.http2.server.HTTP2CServerConnectionFactory;
import org.eclipse.jetty.http2.server.HTTP2ServerConnectionFactory;
import org.eclipse.jetty.server.ConnectionFactory;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.util.ssl.SslContextFactory;

/**
 * Serves the filter behind Jetty: HTTP/1.1 and HTTP/2, with and without TLS.
 *
 * <p>Answers any request that is let through with the caller's e-mail. Environment: AUDIENCE, KEYS_URL, CERTIFICATE and
 * PRIVATE_KEY (PEM files, for TLS). Prints a line of JSON for each server, {@code {"server", "protocol", "port"}}, then
 * {@code ready}, and ends when its standard input closes. A protocol is http/1.1, h2 (HTTP/2 by TLS) or h2c (HTTP/2
 * without).
 */
public final class Middlewares extends HttpServlet {
    private static final long serialVersionUID = 1L;

    public static void main(String[] arguments) throws Exception {
        Verifier verifier = Verifier.builder().google()
                .audience(System.getenv("AUDIENCE")).keysUrl(URI.create(System.getenv("KEYS_URL"))).build();
        ServletContextHandler context = new ServletContextHandler();
        context.addFilter(new FilterHolder(new IdTokenFilter(verifier)), "/*", EnumSet.of(DispatcherType.REQUEST));
        context.addServlet(new ServletHolder(new Middlewares()), "/*");

        HttpConfiguration plain = new HttpConfiguration();
        Server server = new Server();
        server.setHandler(context);
        ServerConnector http = connector(
                server, new HttpConnectionFactory(plain), new HTTP2CServerConnectionFactory(plain));
        ALPNServerConnectionFactory alpn = new ALPNServerConnectionFactory("h2");
        // Without SecureRequestCustomizer, which would compare the request's host with the certificate's.
        ServerConnector https = connector(server, new SslConnectionFactory(tls(), alpn.getProtocol()), alpn,
                new HTTP2ServerConnectionFactory(new HttpConfiguration()));
        server.start();
        announce("http/1.1", http);
        announce("h2c", http);
        announce("h2", https);
        System.out.println("ready");
        System.out.flush();

        while (System.in.read() >= 0) {
            continue; // Whatever is said; only the end counts.
        }
        System.exit(0);
    }

    private static ServerConnector connector(Server server, ConnectionFactory... factories) {
        ServerConnector connector = new ServerConnector(server, factories);
        connector.setHost("127.0.0.1");
        server.addConnector(connector);
        return connector;
    }

    private static void announce(String protocol, ServerConnector connector) {
        JsonObject line = new JsonObject();
        line.addProperty("server", "a servlet on Jetty");
        line.addProperty("protocol", protocol);
        line.addProperty("port", connector.getLocalPort());
        System.out.println(line);
    }

    private static SslContextFactory.Server tls() throws IOException, GeneralSecurityException {
        char[] password = "password".toCharArray();
        Certificate certificate = CertificateFactory.getInstance("X.509").generateCertificate(
                new ByteArrayInputStream(Files.readAllBytes(Path.of(System.getenv("CERTIFICATE")))));
        String pem = Files.readString(Path.of(System.getenv("PRIVATE_KEY"))).replaceAll("-----[A-Z ]+-----", "");
        PrivateKey key = KeyFactory.getInstance("EC").generatePrivate(
                new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(pem)));
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, password);
        store.setKeyEntry("server", key, password, new Certificate[] {certificate});
        SslContextFactory.Server tls = new SslContextFactory.Server();
        tls.setKeyStore(store);
        tls.setKeyStorePassword(new String(password));
        return tls;
    }

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
        JsonObject answer = new JsonObject();
        answer.addProperty("email", ((Claims) request.getUserPrincipal()).email());
        response.setContentType("application/json");
        response.getWriter().print(answer);
    }
}
