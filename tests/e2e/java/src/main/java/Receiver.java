import com.google.gson.JsonObject;
import dev.gatepass.Claims;
import dev.gatepass.Verifier;
import dev.gatepass.servlet.IdTokenFilter;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URI;
import java.util.EnumSet;
import org.eclipse.jetty.ee10.servlet.FilterHolder;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/**
 * A service behind the filter. Reads PORT, AUDIENCE, KEYS_URL and ALLOWED_EMAILS, prints {@code listening <port>},
 * answers {@code GET /} with the caller's e-mail, and ends when its standard input closes.
 */
public final class Receiver extends HttpServlet {
    private static final long serialVersionUID = 1L;

    public static void main(String[] arguments) throws Exception {
        Verifier.Builder verifier = Verifier.builder().google()
                .audience(System.getenv("AUDIENCE"))
                .keysUrl(URI.create(System.getenv("KEYS_URL")));
        String allowed = System.getenv().getOrDefault("ALLOWED_EMAILS", "");
        if (!allowed.isEmpty()) {
            verifier.allowedEmails(allowed.split(","));
        }
        ServletContextHandler context = new ServletContextHandler();
        context.addFilter(
                new FilterHolder(new IdTokenFilter(verifier.build())), "/*", EnumSet.of(DispatcherType.REQUEST));
        context.addServlet(new ServletHolder(new Receiver()), "/*");

        Server server = new Server();
        ServerConnector connector = new ServerConnector(server);
        connector.setHost("127.0.0.1");
        connector.setPort(Integer.parseInt(System.getenv().getOrDefault("PORT", "0")));
        server.addConnector(connector);
        server.setHandler(context);
        server.start();
        System.out.println("listening " + connector.getLocalPort());
        System.out.flush();

        while (System.in.read() >= 0) {
            continue; // Whatever is said; only the end counts.
        }
        server.stop();
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        Claims caller = (Claims) request.getUserPrincipal();
        JsonObject answer = new JsonObject();
        answer.addProperty("email", caller.email());
        response.setContentType("application/json");
        response.getWriter().print(answer);
    }
}
