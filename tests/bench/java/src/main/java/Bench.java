import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * gatepass compared with the libraries that a user would otherwise pick: {@code Bench --rounds 5 --seconds 0.4 [--job V1,V2]}.
 * In each round every contender of a job has its turn, in no order, so that what else the machine does hits all of them.
 * Prints one line of JSON for each job and contender.
 */
public final class Bench {
    /** The JVM compiles what it has seen often enough, in rounds that do not count. */
    private static final int WARM_UP_ROUNDS = 2;
    private static final int FEW_ROUNDS = 5;
    private static final int SHORT_ROUNDS = 10;

    private int rounds = 5;
    private double seconds = 0.4;
    private List<String> wanted = List.of();

    private Bench(String[] arguments) {
        for (int each = 0; each < arguments.length; each += 2) {
            String value = each + 1 < arguments.length ? arguments[each + 1] : "";
            switch (arguments[each]) {
                case "--rounds" -> rounds = Integer.parseInt(value);
                case "--seconds" -> seconds = Double.parseDouble(value);
                case "--job" -> wanted = Arrays.asList(value.split(","));
                default -> throw new IllegalArgumentException("unknown option " + arguments[each]);
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        new Bench(arguments).run();
        System.exit(0); // Some of the libraries keep threads.
    }

    private void run() throws Exception {
        List<Job> jobs = Stream.of(VerifyJobs.all(), FetchJobs.all(), GrpcJobs.all(), ProcessJobs.all())
                .flatMap(List::stream).toList();
        List<String> names = jobs.stream().flatMap(job -> job.units().keySet().stream()).toList();
        for (String name : wanted) {
            if (names.stream().noneMatch(known -> isMeant(known, name))) {
                throw new IllegalArgumentException("no job is called " + name + "; the jobs are " + names);
            }
        }
        for (Job job : jobs) {
            if (wanted.isEmpty() || job.units().keySet().stream().anyMatch(this::isWanted)) {
                run(job);
            }
        }
    }

    private boolean isWanted(String job) {
        return wanted.stream().anyMatch(name -> isMeant(job, name));
    }

    /** A job is meant by its name, and by the part of it before a hyphen. */
    private static boolean isMeant(String job, String name) {
        return job.equals(name) || job.startsWith(name + "-");
    }

    private void run(Job job) throws Exception {
        List<AutoCloseable> last = new ArrayList<>();
        try {
            List<Job.Contender> contenders = job.contenders().prepare(last);
            for (Job.Contender contender : contenders) {
                contender.measure().measure(WARM_UP_ROUNDS * seconds);
            }
            List<Map<String, List<Double>>> figures =
                    contenders.stream().<Map<String, List<Double>>>map(contender -> new TreeMap<>()).toList();
            List<Integer> order = new ArrayList<>(IntStream.range(0, figures.size()).boxed().toList());
            for (int round = 0; round < rounds(job); round++) {
                Collections.shuffle(order);
                for (int each : order) {
                    Map<String, List<Double>> ofContender = figures.get(each);
                    contenders.get(each).measure().measure(seconds).forEach((name, figure) ->
                            ofContender.computeIfAbsent(name, first -> new ArrayList<>()).add(figure));
                }
            }
            Properties versions = versions();
            for (int each = 0; each < figures.size(); each++) {
                Job.Contender contender = contenders.get(each);
                figures.get(each).forEach((name, rounds) ->
                        print(name, job.units().get(name), contender, versions, rounds));
            }
        } finally {
            for (AutoCloseable each : last) {
                each.close();
            }
        }
    }

    private int rounds(Job job) {
        return switch (job.length()) {
            case SHORT -> SHORT_ROUNDS * rounds;
            case PLAIN -> rounds;
            case LONG -> Math.min(rounds, FEW_ROUNDS);
        };
    }

    private static void print(
            String job, String unit, Job.Contender contender, Properties versions, List<Double> rounds) {
        String library = contender.library();
        String version = library == null ? System.getProperty("java.version") : versions.getProperty(library);
        System.out.printf(Locale.ROOT,
                "{\"language\":\"java\",\"job\":\"%s\",\"peer\":\"%s\","
                        + "\"version\":\"%s\",\"unit\":\"%s\",\"rounds\":%s}%n",
                job, contender.peer(), version, unit,
                rounds.stream().map(number -> String.format(Locale.ROOT, "%.3f", number)).toList());
        System.out.flush();
    }

    private static Properties versions() throws IOException {
        Properties versions = new Properties();
        try (InputStream file = Bench.class.getResourceAsStream("versions.properties")) {
            versions.load(file);
        }
        return versions;
    }
}
