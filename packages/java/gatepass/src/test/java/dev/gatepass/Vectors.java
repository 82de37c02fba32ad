package dev.gatepass;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatepass.json.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The files of tests/vectors. */
final class Vectors {
    private Vectors() {}

    static Map<String, Object> read(String file) throws IOException {
        return Json.readMembers(Files.readAllBytes(folder().resolve(file)));
    }

    /** The cases of every file in a folder. */
    static List<Map<String, Object>> cases(String folder) throws IOException {
        List<Path> files;
        try (Stream<Path> entries = Files.list(folder().resolve(folder))) {
            files = entries.filter(Vectors::holdsCases).sorted().toList();
        }
        if (files.isEmpty()) {
            throw new AssertionError("no vectors in " + folder().resolve(folder));
        }
        Stream.Builder<Map<String, Object>> cases = Stream.builder();
        for (Path file : files) {
            list(Json.readMembers(Files.readAllBytes(file)), "cases").forEach(each -> cases.add(members(each)));
        }
        return cases.build().toList();
    }

    /** Asserts that a step is the one of the vector. Of an error only what the vector names is compared. */
    static void assertStep(String about, Map<String, Object> expected, Map<String, Object> actual) {
        if (!"fail".equals(expected.get("step"))) {
            assertEquals(expected, actual, about);
            return;
        }
        assertEquals("fail", actual.get("step"), about);
        Map<String, Object> error = members(actual.get("error"));
        for (String member : List.of("code", "retryable", "claim", "message")) {
            if (members(expected.get("error")).containsKey(member)) {
                assertEquals(members(expected.get("error")).get(member), error.get(member), about + ": " + member);
            }
        }
    }

    /** A source with a vector's options. */
    static TokenSource source(Map<String, Object> options) {
        TokenSource.Builder builder = TokenSource.builder();
        options.forEach(builder::with);
        return builder.build();
    }

    /** The other clock's reading of an entry, whose wall clock is in {@code wall}: without one they go together. */
    static long monotonicMs(Map<String, Object> entry, String wall) {
        return (Long) entry.getOrDefault("monotonic_ms", entry.get(wall));
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> members(Object value) {
        return (Map<String, Object>) value;
    }

    static List<?> list(Map<String, Object> object, String name) {
        return (List<?>) object.get(name);
    }

    private static Path folder() {
        return Path.of(System.getProperty("gatepass.vectors"));
    }

    private static boolean holdsCases(Path file) {
        String name = file.getFileName().toString();
        return name.endsWith(".json") && !name.equals("schema.json");
    }
}
