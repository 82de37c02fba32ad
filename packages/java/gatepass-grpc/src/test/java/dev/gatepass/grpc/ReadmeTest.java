package dev.gatepass.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Every piece of Java in the README is a whole file, and compiles without a warning. */
class ReadmeTest {
    private static final Pattern SNIPPET = Pattern.compile("^```java\n(.*?)^```$", Pattern.DOTALL | Pattern.MULTILINE);
    private static final Pattern NAME = Pattern.compile("^public class (\\w+)", Pattern.MULTILINE);

    @TempDir
    private static Path folder;

    @TestFactory
    Stream<DynamicTest> snippets() throws IOException {
        String readme = Files.readString(Path.of(System.getProperty("gatepass.readme")));
        var found = SNIPPET.matcher(readme).results().map((MatchResult snippet) -> snippet.group(1)).toList();
        assertEquals(2, found.size(), "pieces of Java in the README");
        return found.stream().map(text -> {
            Matcher name = NAME.matcher(text);
            assertTrue(name.find(), text);
            return DynamicTest.dynamicTest(name.group(1), () -> assertEquals(0, compile(name.group(1), text)));
        });
    }

    private static int compile(String name, String text) throws IOException {
        Path source = Files.writeString(folder.resolve(name + ".java"), text);
        return ToolProvider.getSystemJavaCompiler().run(null, System.out, System.out,
                "--release", "17", "-Xlint:all,-processing,-classfile", "-Werror",
                "-cp", System.getProperty("java.class.path"), "-d", folder.toString(), source.toString());
    }
}
