package dev.gatepass.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Requests to a server that answers byte by byte as the test says. */
class ExchangeTest {
    private static final Bounds BOUNDS = new Bounds(1_000, 100);

    private ServerSocket server;

    @BeforeEach
    void start() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
    }

    @Test
    void theRequestIsSentAsTheCoreSays() throws Exception {
        CompletableFuture<List<String>> asked = answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\nx-a: 2\r\n\r\nhi");
        Map<String, Object> step = step("http://127.0.0.1:" + server.getLocalPort() + "/a%20b?c=d", 30_000);
        step.put("method", "POST");
        step.put("headers", List.of(List.of("X-One", "1"), List.of("X-Two", "\u00fc")));
        step.put("body", "\u20ac");
        assertEquals(Map.of("reply", "response", "status", 200, "body", "hi", "headers",
                List.of(List.of("Content-Length", "2"), List.of("X-A", "1"), List.of("x-a", "2"))), send(step));
        List<String> lines = asked.join();
        assertEquals("POST /a%20b?c=d HTTP/1.1", lines.get(0));
        assertTrue(lines.containsAll(List.of("Host: 127.0.0.1:" + server.getLocalPort(), "Content-Length: 3",
                "X-One: 1", "X-Two: \u00fc")), lines::toString);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "HTTP/1.1 200 OK~Transfer-Encoding: chunked~~3;x=y~abc~2~de~0~Trailer: t~~ | abcde",
        "HTTP/1.0 200 OK~~all of it | all of it",
        "HTTP/1.1 204 None~Content-Length: 5~~never | ''",
        "HTTP/1.1 100 Continue~~HTTP/1.1 103 Early~Link: a~~HTTP/1.1 200 OK~Content-Length: 1~~x | x",
        "HTTP/1.1 101 Switching Protocols~~other bytes | ''",
    })
    void bodiesOfAllForms(String response, String body) throws Exception {
        answer(response.replace("~", "\r\n"));
        assertEquals(body, send(step(url(), 30_000)).get("body"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "HTTP/1.1 200 OK~Content-Length: 1001~~LARGE | too_large | more than 1000 bytes",
        "HTTP/1.1 200 OK~Transfer-Encoding: chunked~~3e9~LARGE | too_large | more than 1000 bytes",
        "HTTP/1.1 200 OK~~LARGE | too_large | more than 1000 bytes",
        "HTTP/1.1 200 OK~Content-Length: 9~~short | connect | cut short",
        "HTTP/1.1 200 OK~Transfer-Encoding: chunked~~9~short | connect | cut short",
        "HTTP/1.1 200 OK~Transfer-Encoding: chunked~~-1~short | connect | a chunk has no size",
        "HTTP/1.1 200 OK~Content-Le | connect | closed before",
        "'' | connect | closed before",
        "220 mail.example~ | connect | no HTTP server",
    })
    void answersThatAreNone(String response, String kind, String message) throws Exception {
        answer(response.replace("~", "\r\n").replace("LARGE", "x".repeat(1001)));
        Map<String, Object> reply = send(step(url(), 30_000));
        assertEquals(kind, reply.get("kind"), reply::toString);
        assertTrue(((String) reply.get("message")).contains(message), reply::toString);
    }

    /** One byte at a time, for ever, of a status line, of a body, of what follows 101: the limit closes the connection. */
    @ParameterizedTest
    @CsvSource({"HTTP/1.1 200 O, K", "HTTP/1.1 200 OK~~, x", "HTTP/1.1 200 OK~Transfer-Encoding: chunked~~1~x~, 0"})
    void whoDribblesIsHungUpOn(String beginning, String dribble) throws Exception {
        CompletableFuture<Void> hungUp = CompletableFuture.runAsync(() -> {
            try (Socket connection = server.accept(); OutputStream output = connection.getOutputStream()) {
                output.write(beginning.replace("~", "\r\n").getBytes(StandardCharsets.US_ASCII));
                while (true) { // Until writing fails; JUnit's timeout bounds this.
                    output.write(dribble.getBytes(StandardCharsets.US_ASCII));
                    output.flush();
                    Thread.sleep(20);
                }
            } catch (IOException closed) {
                return;
            } catch (InterruptedException interrupted) {
                throw new AssertionError(interrupted);
            }
        });
        Map<String, Object> reply = ExchangeTest.send(step(url(), 500), new Bounds(1 << 20, 100));
        assertEquals("timeout", reply.get("kind"), reply::toString);
        hungUp.join();
    }

    @Test
    void whoSaysNothingIsHungUpOn() throws Exception {
        CompletableFuture<Integer> end = CompletableFuture.supplyAsync(() -> {
            try (Socket connection = server.accept()) {
                while (connection.getInputStream().read() >= 0) {
                    continue; // The request.
                }
                return -1;
            } catch (IOException reset) {
                return -1;
            }
        });
        assertEquals("timeout", send(step(url(), 300)).get("kind"));
        assertEquals(-1, end.join());
    }

    @Test
    void theProxyIsTheOneOfTheStep() throws Exception {
        CompletableFuture<List<String>> asked = answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        Map<String, Object> step = step("http://orders_1.example/path?a", 30_000);
        step.put("proxy", Map.of("url", "http://user:p%40ss@127.0.0.1:" + server.getLocalPort()));
        assertEquals(200, send(step).get("status"));
        assertEquals("GET http://orders_1.example/path?a HTTP/1.1", asked.join().get(0));
        assertTrue(asked.join().contains("Proxy-Authorization: Basic "
                + Base64.getEncoder().encodeToString("user:p@ss".getBytes(StandardCharsets.US_ASCII))));
    }

    @Test
    void throughATunnelTheProxyHearsOfTheHostAlone() throws Exception {
        CompletableFuture<List<String>> asked = answer("HTTP/1.1 407 Who\r\n\r\n");
        Map<String, Object> step = step("https://orders.example/secret", 30_000);
        step.put("headers", List.of(List.of("Authorization", "hush")));
        step.put("proxy", Map.of("url", "http://user:word@127.0.0.1:" + server.getLocalPort() + "/"));
        Map<String, Object> reply = send(step);
        assertEquals("connect", reply.get("kind"));
        assertTrue(((String) reply.get("message")).contains("the proxy 127.0.0.1:" + server.getLocalPort()
                + " has answered 407"), reply::toString);
        assertFalse(reply.toString().contains("word"), reply::toString);
        assertEquals("CONNECT orders.example:443 HTTP/1.1", asked.join().get(0));
        assertTrue(asked.join().contains("Proxy-Authorization: Basic dXNlcjp3b3Jk"), asked.join()::toString);
        assertFalse(asked.join().toString().contains("hush"));
    }

    @Test
    void whatCannotBeSentIsNotQuoted() throws Exception {
        for (Map<String, Object> bad : List.<Map<String, Object>>of(
                Map.of("headers", List.of(List.of("X", "hush\r\nY: 1"))), Map.of("url", "http://hush hush/"),
                Map.of("url", "nothing"))) {
            Map<String, Object> step = step(url(), 30_000);
            step.putAll(bad);
            Map<String, Object> reply = send(step);
            assertEquals("failed", reply.get("reply"));
            assertFalse(reply.toString().contains("hush"), reply::toString);
        }
    }

    private CompletableFuture<List<String>> answer(String response) {
        return CompletableFuture.supplyAsync(() -> {
            try (Socket connection = server.accept()) {
                BufferedReader reader = new BufferedReader(
                        new InputStreamReader(connection.getInputStream(), StandardCharsets.ISO_8859_1));
                List<String> lines = new ArrayList<>();
                for (String line = reader.readLine(); !line.isEmpty(); line = reader.readLine()) {
                    lines.add(line);
                }
                connection.getOutputStream().write(response.getBytes(StandardCharsets.ISO_8859_1));
                connection.shutdownOutput();
                while (reader.read() >= 0) {
                    continue; // The body, and the end: closing earlier would reset the connection.
                }
                return lines;
            } catch (IOException failure) {
                throw new AssertionError(failure);
            }
        });
    }

    private String url() {
        return "http://127.0.0.1:" + server.getLocalPort() + "/";
    }

    private static Map<String, Object> step(String url, long timeoutMs) {
        Map<String, Object> step = new HashMap<>();
        step.put("method", "GET");
        step.put("url", url);
        step.put("headers", List.of());
        step.put("body", null);
        step.put("timeout_ms", timeoutMs);
        step.put("proxy", null);
        step.put("client_certificate", null);
        return step;
    }

    private static Map<String, Object> send(Map<String, Object> step) throws InterruptedException {
        return send(step, BOUNDS);
    }

    private static Map<String, Object> send(Map<String, Object> step, Bounds bounds) throws InterruptedException {
        return Exchange.send(step, bounds);
    }
}
