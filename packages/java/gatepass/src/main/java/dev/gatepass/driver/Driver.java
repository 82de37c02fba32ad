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
import java.security.GeneralSecurityException;
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
    /** Longer than any operation of the core takes; it ends each by itself. */
    private static final int MAX_STEPS = 1_000;

    private final Clock clock;
    private final UnaryOperator<String> environment;
    private final Suppliers suppliers;

    Driver(Clock clock, UnaryOperator<String> environment, Suppliers suppliers) {
        this.clock = clock;
        this.environment = environment;
        this.suppliers = suppliers;
    }

    /** The first step of {@code op}, for which the core needs nothing. */
    Map<String, Object> begin(Op op) {
        return op.resume(clock.millis(), Map.of("reply", "start"));
    }

    /** Whether nothing is to be waited for after {@code step}. */
    static boolean isEnd(Map<String, Object> step) {
        return step.get("step").equals("done") || step.get("step").equals("fail");
    }

    /**
     * Drives {@code op} from its first step to its end: what it has fetched, as the core writes it; null where that was
     * keys.
     */
    Map<String, Object> drive(Op op, Map<String, Object> first) throws InterruptedException {
        Map<String, Object> step = first;
        Throwable supplierFailure = null;
        for (int steps = 0; steps < MAX_STEPS; steps++) {
            Map<String, Object> reply;
            switch ((String) step.get("step")) {
                case "done":
                    return members(step.get("output"));
                case "fail":
                    GatepassException failure = GatepassException.of(members(step.get("error")));
                    failure.initCause(supplierFailure);
                    throw failure;
                default:
                    try {
                        reply = perform(step);
                    } catch (Suppliers.Failure thrown) {
                        supplierFailure = thrown.getCause();
                        reply = thrown.reply();
                    }
            }
            step = op.resume(clock.millis(), reply);
        }
        throw new IllegalStateException("an operation does not end");
    }

    private Map<String, Object> perform(Map<String, Object> step) throws InterruptedException, Suppliers.Failure {
        return switch ((String) step.get("step")) {
            case "read_env" -> readEnvironment(step);
            case "read_file" -> readFile((String) step.get("path"));
            case "send" -> send(step);
            case "run" -> ChildProcess.run(step);
            case "supply" -> suppliers.supply(step);
            case "wait" -> waitFor((long) step.get("delay_ms"));
            default -> Reply.failed("unsupported", "this package for Java does not know the step");
        };
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
            byte[] octets = file.readNBytes(Reply.LIMIT + 1);
            return octets.length > Reply.LIMIT ? Reply.tooLarge() : Reply.text(Native.text(octets));
        } catch (NoSuchFileException missing) {
            return Reply.failed("not_found", "no such file");
        } catch (AccessDeniedException denied) {
            return Reply.failed("permission_denied", "permission denied");
        } catch (IOException | InvalidPathException error) {
            return Reply.failed("other", Reply.describe(error));
        }
    }

    static Map<String, Object> send(Map<String, Object> step) throws InterruptedException {
        HttpRequest request;
        HttpClient client;
        try {
            request = request(step);
            client = client(step);
        } catch (IllegalArgumentException malformed) {
            return Reply.failed("other", "the request cannot be sent as it stands"); // Its message may quote a header.
        } catch (IOException | GeneralSecurityException noCertificate) {
            return Reply.failed("other", noCertificate.getMessage());
        }
        CompletableFuture<HttpResponse<byte[]>> exchange =
                client.sendAsync(request, head -> new CappedBody(Reply.LIMIT));
        try {
            // HttpRequest.timeout would end with the response's headers; this one covers its body too.
            HttpResponse<byte[]> response = exchange.get((long) step.get("timeout_ms"), TimeUnit.MILLISECONDS);
            List<List<String>> headers = new ArrayList<>();
            response.headers().map().forEach((name, all) -> all.forEach(value -> headers.add(List.of(name, value))));
            return response.body() == null ? Reply.tooLarge() : Map.of("reply", "response",
                    "status", response.statusCode(), "headers", headers, "body", Native.text(response.body()));
        } catch (TimeoutException late) {
            return Reply.failed("timeout", request.uri().getAuthority() + " has not answered in time");
        } catch (ExecutionException failure) {
            return Reply.failed("connect", request.uri().getAuthority() + ": " + Reply.describe(failure.getCause()));
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

    private static HttpClient client(Map<String, Object> step) throws IOException, GeneralSecurityException {
        boolean direct = step.get("route").equals("direct");
        Map<String, Object> certificate = members(step.get("client_certificate"));
        String authorities = (String) step.get("ca_certificate_path");
        if (certificate != null || authorities != null) {
            return http(direct).sslContext(Tls.context(certificate, authorities)).build();
        }
        return direct ? Direct.CLIENT : Default.CLIENT;
    }

    /** Over HTTP/2 a plain request would begin with an upgrade that metadata servers do not expect. */
    private static HttpClient.Builder http(boolean direct) {
        HttpClient.Builder http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1);
        return direct ? http.proxy(HttpClient.Builder.NO_PROXY) : http;
    }

    private Map<String, Object> waitFor(long delayMs) throws InterruptedException {
        Thread.sleep(delayMs);
        return Map.of("reply", "elapsed");
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> members(Object value) {
        return (Map<String, Object>) value;
    }

    // Each is made when it is first needed: a program that only verifies needs neither.

    private static final class Default {
        static final HttpClient CLIENT = http(false).build();
    }

    private static final class Direct {
        static final HttpClient CLIENT = http(true).build();
    }
}
