package dev.gatepass;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.UnaryOperator;

/**
 * Carries out what the core asks for. It decides nothing: no retry, no cache, no look at a status. Neither a step nor
 * a reply is ever logged, for they hold secrets.
 */
final class Driver {
    /** The most octets of a file or a body that are handed over. */
    private static final int LIMIT = 1024 * 1024;
    /** Longer than any operation of the core takes; it ends each by itself. */
    private static final int MAX_STEPS = 1_000;

    private final Clock clock;
    private final UnaryOperator<String> environment;

    Driver(Clock clock, UnaryOperator<String> environment) {
        this.clock = clock;
        this.environment = environment;
    }

    /** Drives {@code op} to its end: the token that it has fetched, or null where it fetches keys. */
    Token drive(Op op) throws InterruptedException {
        Map<String, Object> reply = Map.of("reply", "start");
        for (int steps = 0; steps < MAX_STEPS; steps++) {
            Map<String, Object> step = op.resume(clock.millis(), reply);
            switch ((String) step.get("step")) {
                case "done":
                    return Token.of(members(step.get("token")));
                case "fail":
                    throw GatepassException.of(members(step.get("error")));
                case "read_env":
                    reply = readEnvironment(step);
                    break;
                case "read_file":
                    reply = readFile((String) step.get("path"));
                    break;
                case "send":
                    reply = send(step);
                    break;
                case "wait":
                    Thread.sleep(Math.max(0, (long) step.get("until_ms") - clock.millis()));
                    reply = Map.of("reply", "elapsed");
                    break;
                default:
                    reply = failed("unsupported", "this package for Java does not know the step");
            }
        }
        throw new IllegalStateException("an operation does not end");
    }

    private Map<String, Object> readEnvironment(Map<String, Object> step) {
        Map<String, Object> values = Json.members();
        for (Object name : (List<?>) step.get("names")) {
            String value = environment.apply((String) name);
            if (value != null) {
                values.put((String) name, value);
            }
        }
        return Map.of("reply", "env", "values", values);
    }

    private static Map<String, Object> readFile(String path) {
        try (InputStream file = Files.newInputStream(Path.of(path))) {
            byte[] octets = file.readNBytes(LIMIT + 1);
            return octets.length > LIMIT ? tooLarge() : Map.of("reply", "text", "text", Native.text(octets));
        } catch (NoSuchFileException missing) {
            return failed("not_found", "no such file");
        } catch (AccessDeniedException denied) {
            return failed("permission_denied", "permission denied");
        } catch (IOException | InvalidPathException error) {
            return failed("other", describe(error));
        }
    }

    private static Map<String, Object> send(Map<String, Object> step) throws InterruptedException {
        if (step.get("client_certificate") != null) {
            return failed("unsupported", "this package for Java presents no client certificates yet");
        }
        HttpRequest request;
        try {
            request = request(step);
        } catch (IllegalArgumentException malformed) {
            return failed("other", "the request cannot be sent as it stands"); // Its message may quote a header.
        }
        HttpClient client = step.get("route").equals("direct") ? Direct.CLIENT : Default.CLIENT;
        CompletableFuture<HttpResponse<byte[]>> exchange = client.sendAsync(request, head -> new CappedBody(LIMIT));
        try {
            // HttpRequest.timeout would end with the response's headers; this one covers its body too.
            HttpResponse<byte[]> response = exchange.get((long) step.get("timeout_ms"), TimeUnit.MILLISECONDS);
            List<List<String>> headers = new ArrayList<>();
            response.headers().map().forEach((name, all) -> all.forEach(value -> headers.add(List.of(name, value))));
            return response.body() == null ? tooLarge() : Map.of("reply", "response",
                    "status", response.statusCode(), "headers", headers, "body", Native.text(response.body()));
        } catch (TimeoutException late) {
            return failed("timeout", request.uri().getAuthority() + " has not answered in time");
        } catch (ExecutionException failure) {
            return failed("connect", request.uri().getAuthority() + ": " + describe(failure.getCause()));
        } finally {
            exchange.cancel(true);
        }
    }

    private static HttpRequest request(Map<String, Object> step) {
        String body = (String) step.get("body");
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create((String) step.get("url"))).method(
                (String) step.get("method"), body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        for (Object header : (List<?>) step.get("headers")) {
            request.header((String) ((List<?>) header).get(0), (String) ((List<?>) header).get(1));
        }
        return request.build();
    }

    private static Map<String, Object> tooLarge() {
        return failed("too_large", "more than " + LIMIT + " octets");
    }

    private static Map<String, Object> failed(String kind, String message) {
        return Map.of("reply", "failed", "kind", kind, "message", message);
    }

    /** The kind of the failure and what it says, or else the kind of its innermost cause. */
    private static String describe(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        String detail = failure.getMessage() != null ? failure.getMessage() : cause.getClass().getSimpleName();
        return failure.getClass().getSimpleName() + ": " + detail;
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> members(Object value) {
        return (Map<String, Object>) value;
    }

    // Each is made when it is first needed: a program that only verifies needs neither. Over HTTP/2 a plain request
    // would begin with an upgrade that metadata servers do not expect.

    private static final class Default {
        static final HttpClient CLIENT = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    }

    private static final class Direct {
        static final HttpClient CLIENT = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
                .proxy(HttpClient.Builder.NO_PROXY).build();
    }
}
