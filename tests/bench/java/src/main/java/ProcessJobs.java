import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** M and W: processes of their own. */
final class ProcessJobs {
    private ProcessJobs() {}

    static List<Job> all() {
        return List.of(
                new Job("M-start", "ms", last -> cold(last, true)),
                new Job("M-rss", "MB", last -> cold(last, false)),
                new Job("W", "us", ProcessJobs::hello));
    }

    /** A process from its start to its end, with one verification in between. */
    private static List<Job.Contender> cold(List<AutoCloseable> last, boolean time) throws Exception {
        Issuer issuer = Issuer.google();
        Path material = material(last, issuer.policy(), issuer.tokens(1).get(0));
        List<Job.Contender> contenders = new ArrayList<>();
        for (String name : withNobody(Cold.NOBODY)) {
            contenders.add(new Job.Contender(name, library(name), seconds -> {
                long begin = System.nanoTime();
                Process process = start("Cold", name, material);
                String kilobytes = process.inputReader().readLine();
                int exit = process.waitFor();
                double milliseconds = (System.nanoTime() - begin) / 1e6;
                if (exit != 0) {
                    throw new AssertionError(name + " has ended with " + exit);
                }
                return time ? milliseconds : Integer.parseInt(kilobytes) / 1024.0;
            }));
        }
        return contenders;
    }

    /** The processor time of a service for each request; the difference to "no check" is what the check costs. */
    private static List<Job.Contender> hello(List<AutoCloseable> last) throws Exception {
        Issuer issuer = Issuer.google();
        String token = issuer.tokens(1).get(0);
        Path material = material(last, issuer.policy(), token);
        HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        List<Job.Contender> contenders = new ArrayList<>();
        for (String name : withNobody(Hello.NOBODY)) {
            Process process = start("Hello", name, material);
            last.add(process::destroy);
            BufferedReader output = process.inputReader();
            HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + output.readLine() + "/"))
                    .header("Authorization", "Bearer " + token).build();
            contenders.add(new Job.Contender(name, library(name), seconds -> {
                long before = used(process, output);
                long end = System.nanoTime() + (long) (seconds * 1e9);
                int requests = 0;
                do {
                    HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
                    if (response.statusCode() != 200 || !response.body().equals("hello")) {
                        throw new AssertionError(name + " answers " + response.statusCode());
                    }
                    requests++;
                } while (System.nanoTime() < end);
                return (used(process, output) - before) / 1e3 / requests;
            }));
        }
        return contenders;
    }

    private static long used(Process process, BufferedReader output) throws IOException {
        process.outputWriter().write("\n");
        process.outputWriter().flush();
        return Long.parseLong(output.readLine());
    }

    private static List<String> withNobody(String nobody) {
        List<String> names = new ArrayList<>(List.of(nobody));
        names.addAll(Peer.NAMES);
        return names;
    }

    private static String library(String name) {
        return Peer.NAMES.contains(name) ? name : null;
    }

    private static Path material(List<AutoCloseable> last, Policy policy, String token) throws IOException {
        Path file = Files.createTempFile("gatepass-bench", null);
        last.add(() -> Files.delete(file));
        policy.write(file, token);
        return file;
    }

    private static Process start(String program, String peer, Path material) throws IOException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        // Processor time is counted by thread, so none may end.
        return new ProcessBuilder(java, "-XX:-UseDynamicNumberOfCompilerThreads", "-XX:-UseDynamicNumberOfGCThreads",
                "-cp", System.getProperty("java.class.path"), program, peer, material.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }
}
