import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/** M, W and the memory of G: processes of their own. */
final class ProcessJobs {
    /** Whose services are compared. */
    private static final List<String> SERVICES = List.of("gatepass", "google-auth", "java-jwt");
    private static final int REQUESTS = 1_500;
    private static final int WARM_UP_REQUESTS = 4_000;

    private ProcessJobs() {}

    static List<Job> all() {
        return List.of(
                new Job(Map.of("M-start", "ms", "M-rss", "MB"), true, ProcessJobs::cold),
                new Job(Map.of("W", "us", "W-rate", "op/s", "W-p99", "ms"), true, ProcessJobs::hello),
                new Job(Map.of("G-bytes", "B"), true, ProcessJobs::remembering));
    }

    /** A process from its start to its end, with one verification in between, and the most memory that it held. */
    private static List<Job.Contender> cold(List<AutoCloseable> last) throws Exception {
        Issuer issuer = Issuer.google();
        Path material = material(last, issuer.policy(), issuer.tokens(1));
        List<Job.Contender> contenders = new ArrayList<>();
        for (String name : withNobody(Cold.NOBODY, Peer.NAMES)) {
            contenders.add(new Job.Contender(name, library(name), seconds -> {
                long begin = System.nanoTime();
                long kilobytes = said(start("Cold", name, material, List.of()));
                return Map.of("M-start", (System.nanoTime() - begin) / 1e6, "M-rss", kilobytes / 1024.0);
            }));
        }
        return contenders;
    }

    /**
     * So many requests, one after the other, to a service that checks each: the processor time that it has used beyond
     * that of a service without a check, in the same round; the requests per second; and the time within which 99 of 100
     * are answered.
     */
    private static List<Job.Contender> hello(List<AutoCloseable> last) throws Exception {
        Issuer issuer = Issuer.google();
        List<String> tokens = issuer.tokens(1);
        Path material = material(last, issuer.policy(), tokens);
        HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        AtomicReference<Double> bare = new AtomicReference<>();
        List<Job.Contender> contenders = new ArrayList<>();
        for (String name : withNobody(Hello.NOBODY, SERVICES)) {
            Process process = start("Hello", name, material, List.of());
            last.add(process::destroy);
            BufferedReader output = process.inputReader();
            HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + output.readLine() + "/"))
                    .timeout(Duration.ofSeconds(10)).header("Authorization", "Bearer " + tokens.get(0)).build();
            times(http, request, WARM_UP_REQUESTS);
            contenders.add(new Job.Contender(name, library(name), seconds -> {
                long before = used(process, output);
                long[] times = times(http, request, REQUESTS);
                double microseconds = (used(process, output) - before) / 1e3 / REQUESTS;
                Map<String, Double> figures = new TreeMap<>();
                figures.put("W-rate", 1e9 * REQUESTS / Arrays.stream(times).sum());
                figures.put("W-p99", times[REQUESTS * 99 / 100] / 1e6);
                if (name.equals(Hello.NOBODY)) {
                    bare.set(microseconds); // Those after it in the round are compared with this.
                } else {
                    figures.put("W", microseconds - bare.get());
                }
                return figures;
            }));
        }
        return contenders;
    }

    /** How long each request took, in nanoseconds, the shortest first. */
    private static long[] times(HttpClient http, HttpRequest request, int count) throws Exception {
        long[] times = new long[count];
        for (int each = 0; each < count; each++) {
            long begin = System.nanoTime();
            HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
            times[each] = System.nanoTime() - begin;
            if (response.statusCode() != 200 || !response.body().equals("hello")) {
                throw new AssertionError("the service answers " + response.statusCode());
            }
        }
        Arrays.sort(times);
        return times;
    }

    /** What a process grows by for each token that it remembers, beside the size of the token's claims. */
    private static List<Job.Contender> remembering(List<AutoCloseable> last) throws Exception {
        Issuer issuer = Issuer.google();
        List<String> tokens = issuer.tokens(Remembering.WARM_UP + Remembering.TOKENS);
        Path material = material(last, issuer.policy(), tokens);
        double claims = tokens.stream()
                .mapToInt(token -> Base64.getUrlDecoder().decode(token.split("\\.")[1]).length).average().orElseThrow();
        List<Job.Contender> contenders = new ArrayList<>();
        for (String each : List.of("gatepass", Remembering.CLAIMS_READ)) {
            contenders.add(new Job.Contender(each, "gatepass", seconds -> Map.of("G-bytes",
                    (double) said(start("Remembering", each, material, Remembering.JVM_OPTIONS))
                            / Remembering.TOKENS)));
        }
        contenders.add(new Job.Contender("raw claims", "gatepass", seconds -> Map.of("G-bytes", claims)));
        return contenders;
    }

    /** The number that a process prints before it ends. */
    private static long said(Process process) throws Exception {
        try {
            if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new AssertionError("a process has failed, or does not end");
            }
            return Long.parseLong(process.inputReader().readLine());
        } finally {
            process.destroyForcibly();
        }
    }

    private static long used(Process process, BufferedReader output) throws IOException {
        process.outputWriter().write("\n");
        process.outputWriter().flush();
        return Long.parseLong(output.readLine());
    }

    private static List<String> withNobody(String nobody, List<String> others) {
        List<String> names = new ArrayList<>(List.of(nobody));
        names.addAll(others);
        return names;
    }

    private static String library(String name) {
        return Peer.NAMES.contains(name) ? name : null;
    }

    private static Path material(List<AutoCloseable> last, Policy policy, List<String> tokens) throws IOException {
        Path file = Files.createTempFile("gatepass-bench", null);
        last.add(() -> Files.delete(file));
        policy.write(file, tokens);
        return file;
    }

    private static Process start(String program, String peer, Path material, List<String> options)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // Processor time is counted by thread, so none may end.
        command.addAll(List.of("-XX:-UseDynamicNumberOfCompilerThreads", "-XX:-UseDynamicNumberOfGCThreads"));
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), program, peer, material.toString()));
        return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }
}
