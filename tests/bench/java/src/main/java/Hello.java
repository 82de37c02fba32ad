import com.sun.net.httpserver.HttpServer;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Executors;

/**
 * A service that says hello to callers whom the peer that it is told accepts, or to anybody. Prints its port; for each
 * line of its standard input, the processor time that it has used, in nanoseconds; and ends when that closes.
 */
public final class Hello {
    /** The name of the peer that is none. */
    static final String NOBODY = "bare";

    private Hello() {}

    public static void main(String[] arguments) throws Exception {
        // Or each answer, which is sent in two parts, waits until the first one is acknowledged.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        Policy policy = Policy.read(Files.readAllLines(Path.of(arguments[1])));
        Peer.Receiver receiver = arguments[0].equals(NOBODY) ? null : Peer.named(arguments[0]).receiver(policy);
        byte[] hello = "hello".getBytes(StandardCharsets.UTF_8);
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newFixedThreadPool(2));
        server.createContext("/", exchange -> {
            int status = 200;
            try {
                if (receiver != null) {
                    receiver.emailOfRequest(exchange.getRequestHeaders()::getFirst);
                }
            } catch (Exception refused) {
                status = 401;
            }
            exchange.sendResponseHeaders(status, hello.length);
            exchange.getResponseBody().write(hello);
            exchange.close();
        });
        server.start();
        System.out.println(server.getAddress().getPort());
        ProcessorTime time = new ProcessorTime();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        while (input.readLine() != null) {
            System.out.println(time.used());
        }
        System.exit(0);
    }
}
