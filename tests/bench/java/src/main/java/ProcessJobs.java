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
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** M, W and the memory of G: processes of their own. */
final class ProcessJobs {
    /** Whose services are compared. */
    private static final List<String> SERVICES = List.of("gatepass", "google-auth", "java-jwt");
    /** How many requests a service answers in a round: so many times so many. */
    private static final int SHIFTS = 10;
    private static final int REQUESTS = 150;
    private static final int WARM_UP_REQUESTS = 4_000;

    private ProcessJobs() {}

    static List<Job> all() {
        return List.of(
                new Job(Map.of("M-start", "ms", "M-rss", "MB"), Job.Length.LONG, ProcessJobs::cold),
                new Job(Map.of("W", "us", "W-rate", "op/s", "W-p99", "ms"), Job.Length.LONG, ProcessJobs::hello),
                new Job(Map.of("G-bytes", "B"), Job.Length.LONG, ProcessJobs::remembering));
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
     * Requests, one after the other, to a service that checks each, and to one that does not. The two take turns many
     * times in a round: what else the machine does changes their processor time more than a check may.
     */
    private static List<Job.Contender> hello(List<AutoCloseable> last) throws Exception {
        Issuer issuer = Issuer.google();
        List<String> tokens = issuer.tokens(1);
        Path material = material(last, issuer.policy(), tokens);
        HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        List<Job.Contender> contenders = new ArrayList<>();
        Service unchecked = null;
        for (String name : withNobody(Hello.NOBODY, SERVICES)) {
            Service service = new Service(start("Hello", name, material, List.of()), http, tokens.get(0));
            last.add(service);
            service.answer(WARM_UP_REQUESTS, new Load());
            Service bare = unchecked == null ? service : unchecked;
            unchecked = bare;
            contenders.add(new Job.Contender(name, library(name), seconds -> beside(bare, service)));
        }
        return contenders;
    }

    private static Map<String, Double> beside(Service unchecked, Service service) throws Exception {
        Load without = new Load();
        Load load = new Load();
        for (int shift = 0; shift < SHIFTS; shift++) {
            if (service != unchecked) {
                unchecked.answer(REQUESTS, without);
            }
            service.answer(REQUESTS, load);
        }
        Map<String, Double> figures = new TreeMap<>(load.figures());
        if (service != unchecked) {
            figures.put("W", load.cpuOfOne() - without.cpuOfOne());
        }
        return figures;
    }

    /** What requests have taken, in nanoseconds: the service's processor time, and each by the clock. */
    private static final class Load {
        private long cpu;
        private final List<Long> times = new ArrayList<>();

        /** In microseconds. */
        double cpuOfOne() {
            return cpu / 1e3 / times.size();
        }

        Map<String, Double> figures() {
            List<Long> sorted = times.stream().sorted().toList();
            double seconds = sorted.stream().mapToLong(Long::longValue).sum() / 1e9;
            return Map.of("W-rate", sorted.size() / seconds, "W-p99", sorted.get(sorted.size() * 99 / 100) / 1e6);
        }
    }

    /** A hello service in a process of its own. */
    private static final class Service implements AutoCloseable {
        private final Process process;
        private final BufferedReader output;
        private final HttpClient http;
        private final HttpRequest request;

        Service(Process process, HttpClient http, String token) throws IOException {
            this.process = process;
            this.output = process.inputReader();
            this.http = http;
            this.request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + output.readLine() + "/"))
                    .timeout(Duration.ofSeconds(10)).header("Authorization", "Bearer " + token).build();
        }

        void answer(int count, Load load) throws Exception {
            long before = used();
            for (int each = 0; each < count; each++) {
                long begin = System.nanoTime();
                HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
                load.times.add(System.nanoTime() - begin);
                if (response.statusCode() != 200 || !response.body().equals("hello")) {
                    throw new AssertionError("the service answers " + response.statusCode());
                }
            }
            load.cpu += used() - before;
        }

        private long used() throws IOException {
            process.outputWriter().write("\n");
            process.outputWriter().flush();
            return Long.parseLong(output.readLine());
        }

        @Override
        public void close() {
            process.destroy();
        }
    }

    /** What a process grows by for each token that it remembers, next to the size of the token's claims. */
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

    private static List<String> withNobody(String nobody, List<String> others) {
        List<String> names = new ArrayList<>(List.of(nobody));
        names.addAll(others);
        return names;
    }

    private static String library(String name) {
        return Peer.NAMES.contains(name) ? name : null;
    }

    static Path material(List<AutoCloseable> last, Policy policy, List<String> tokens) throws IOException {
        Path file = Files.createTempFile("gatepass-bench", null);
        last.add(() -> Files.delete(file));
        policy.write(file, tokens);
        return file;
    }

    static Process start(String program, String peer, Path material, List<String> options)
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
