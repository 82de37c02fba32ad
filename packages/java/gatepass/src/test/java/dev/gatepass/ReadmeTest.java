package dev.gatepass;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatepass.json.Utf8;
import dev.gatepass.testing.Emulator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Every piece of Java in the README is a whole file, compiles without a warning, and runs if it is a program. */
class ReadmeTest {
    private static final Pattern SNIPPET = Pattern.compile("^```java\n(.*?)^```$", Pattern.DOTALL | Pattern.MULTILINE);
    private static final Pattern NAME = Pattern.compile("^(?:public )?class (\\w+)", Pattern.MULTILINE);
    private static final String AUDIENCE = "https://orders.example";

    @TempDir
    private static Path folder;

    @TestFactory
    Stream<DynamicTest> snippets() throws IOException {
        String readme = Files.readString(Path.of(System.getProperty("gatepass.readme")));
        List<String> found = SNIPPET.matcher(readme).results().map((MatchResult snippet) -> snippet.group(1)).toList();
        assertEquals(7, found.size(), "pieces of Java in the README");
        return found.stream().map(text -> {
            Matcher name = NAME.matcher(text);
            assertTrue(name.find(), text);
            return DynamicTest.dynamicTest(name.group(1), () -> check(name.group(1), text));
        });
    }

    @Test
    void whatDoesNotCompileIsFound() throws IOException {
        assertEquals(1, compile("Bad", "public class Bad {\n    java.util.List raw = null;\n}\n"));
        assertEquals(0, compile("Good", "public class Good {\n    java.util.List<?> list = null;\n}\n"));
    }

    private static void check(String name, String text) throws Exception {
        assertEquals(0, compile(name, text), "javac");
        if (text.contains("void main(")) {
            run(name);
        }
    }

    private static int compile(String name, String text) throws IOException {
        Path source = Files.writeString(folder.resolve(name + ".java"), text);
        return ToolProvider.getSystemJavaCompiler().run(null, System.out, System.out,
                "--release", "17", "-Xlint:all,-processing", "-Werror", "-cp", System.getProperty("java.class.path"),
                "-d", folder.toString(), source.toString());
    }

    /** In a process of its own, with the emulator in its environment, a receiver's URL and a token. */
    private static void run(String name) throws Exception {
        Emulator emulator = Emulators.fresh();
        String token = emulator.mint(Map.of("claims", Map.of("aud", AUDIENCE)));
        try (HoldingServer receiver = new HoldingServer()) {
            ProcessBuilder program = new ProcessBuilder(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-cp", folder + java.io.File.pathSeparator + System.getProperty("java.class.path"),
                    name, receiver.url().toString(), token).redirectErrorStream(true);
            program.environment().keySet().removeIf(variable -> variable.toLowerCase(java.util.Locale.ROOT).contains("proxy"));
            program.environment().putAll(emulator.environment());
            Process running = program.start();
            Thread answers = new Thread(() -> answer(receiver));
            answers.setDaemon(true);
            answers.start();
            String printed = Utf8.text(running.getInputStream().readAllBytes());
            assertEquals(0, running.waitFor(), printed);
            assertTrue(!printed.isBlank() && !printed.contains(token), printed);
        }
    }

    private static void answer(HoldingServer receiver) {
        try {
            HoldingServer.answer(receiver.next(), 204, "text/plain", "");
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        } catch (InterruptedException | AssertionError nobodyAsked) {
            return;
        }
    }
}
