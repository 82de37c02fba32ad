package dev.gatepass;

import dev.gatepass.json.Utf8;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A server that gives these answers in turn, and then none that is of use. Its headers are those of the answer, and no
 * others: the JDK's own server sets a date.
 */
final class ScriptedServer implements AutoCloseable {
    private static final Map<String, Object> NOT_FOUND = Map.of("status", 404L);

    /** The targets of the requests that have come. */
    final List<String> asked = new CopyOnWriteArrayList<>();

    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());

    /** Each answer has a {@code status}, and may have {@code headers}, a {@code location} and a {@code body}. */
    ScriptedServer(List<Map<String, Object>> answers) throws IOException {
        Iterator<Map<String, Object>> remaining = answers.iterator();
        Thread thread = new Thread(() -> serve(remaining));
        thread.setDaemon(true);
        thread.start();
    }

    String hostAndPort() {
        return "127.0.0.1:" + server.getLocalPort();
    }

    String url() {
        return "http://" + hostAndPort() + "/token";
    }

    @Override
    public void close() throws IOException {
        server.close();
    }

    private void serve(Iterator<Map<String, Object>> remaining) {
        while (!server.isClosed()) {
            try (Socket connection = server.accept()) {
                InputStream input = new BufferedInputStream(connection.getInputStream());
                asked.add(line(input).split(" ")[1]);
                int length = 0;
                for (String header = line(input); !header.isEmpty(); header = line(input)) {
                    if (header.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
                        length = Integer.parseInt(header.substring(15).trim());
                    }
                }
                input.readNBytes(length);
                connection.getOutputStream().write(response(remaining.hasNext() ? remaining.next() : NOT_FOUND));
            } catch (IOException gone) {
                continue; // A client that went away, or the end.
            }
        }
    }

    private static byte[] response(Map<String, Object> answer) {
        StringBuilder head = new StringBuilder("HTTP/1.1 " + answer.get("status") + " Scripted\r\n");
        if (answer.get("headers") instanceof Map<?, ?> headers) {
            headers.forEach((name, value) -> head.append(name + ": " + value + "\r\n"));
        }
        if (answer.get("location") instanceof String location) {
            head.append("Location: " + location + "\r\n");
        }
        byte[] body = answer.get("body") instanceof String text ? Utf8.bytes(text) : new byte[0];
        head.append("Content-Length: " + body.length + "\r\nConnection: close\r\n\r\n");
        ByteArrayOutputStream response = new ByteArrayOutputStream();
        response.writeBytes(head.toString().getBytes(StandardCharsets.ISO_8859_1));
        response.writeBytes(body);
        return response.toByteArray();
    }

    private static String line(InputStream input) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = input.read(); next != '\n'; next = input.read()) {
            if (next < 0) {
                throw new IOException("the client has gone");
            }
            line.write(next);
        }
        return line.toString(StandardCharsets.ISO_8859_1).strip();
    }
}
