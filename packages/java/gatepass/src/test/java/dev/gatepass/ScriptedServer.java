package dev.gatepass;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.gatepass.json.Utf8;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/** A server that gives these answers in turn, and then none that is of use. */
final class ScriptedServer implements AutoCloseable {
    private static final Map<String, Object> NOT_FOUND = Map.of("status", 404L);

    /** The targets of the requests that have come. */
    final List<String> asked = new CopyOnWriteArrayList<>();

    private final HttpServer server;

    /** Each answer has a {@code status}, and may have {@code headers}, a {@code location} and a {@code body}. */
    ScriptedServer(List<Map<String, Object>> answers) throws IOException {
        Iterator<Map<String, Object>> remaining = answers.iterator();
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            asked.add(exchange.getRequestURI().toString());
            answer(exchange, remaining.hasNext() ? remaining.next() : NOT_FOUND); // By the server's one thread.
        });
        server.start();
    }

    String hostAndPort() {
        return "127.0.0.1:" + server.getAddress().getPort();
    }

    String url() {
        return "http://" + hostAndPort() + "/token";
    }

    @Override
    public void close() {
        server.stop(0);
    }

    private static void answer(HttpExchange exchange, Map<String, Object> answer) throws IOException {
        exchange.getRequestBody().readAllBytes();
        if (answer.get("headers") instanceof Map<?, ?> headers) {
            headers.forEach((name, value) -> exchange.getResponseHeaders().add((String) name, (String) value));
        }
        if (answer.get("location") instanceof String location) {
            exchange.getResponseHeaders().add("Location", location);
        }
        byte[] body = answer.get("body") instanceof String text ? Utf8.bytes(text) : new byte[0];
        exchange.sendResponseHeaders(((Long) answer.get("status")).intValue(), body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }
}
