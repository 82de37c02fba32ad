package dev.gatepass;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.stream.JsonReader;
import dev.gatepass.json.Utf8;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A library that cannot be loaded is named, with the reason and what to do, the first time and every other. */
class NativeLibraryTest {
    @TempDir
    private Path folder;

    @Test
    void aFileThatIsNoLibrary() throws Exception {
        Path file = Files.writeString(folder.resolve("library.so"), "this is none");
        assertExplained(start("-Dgatepass.native.path=" + file), file.toString(), "gatepass.native.path");
    }

    @Test
    void aTemporaryFolderThatIsNotThere() throws Exception {
        Path missing = folder.resolve("missing");
        assertExplained(start("-Djava.io.tmpdir=" + missing), missing.toString(), "-Djava.io.tmpdir");
    }

    @Test
    void aTemporaryFolderThatRunsNoPrograms() throws Exception {
        Path mounted = Files.createDirectory(folder.resolve("noexec"));
        Process mount = new ProcessBuilder("mount", "-t", "tmpfs", "-o", "noexec", "tmpfs", mounted.toString())
                .redirectErrorStream(true).start();
        String said = Utf8.text(mount.getInputStream().readAllBytes());
        boolean isMounted = mount.waitFor() == 0;
        if (!isMounted) {
            System.out.println("not tested: mounting a noexec folder is not allowed here: " + said);
        }
        assumeTrue(isMounted, () -> "mounting a noexec folder is not allowed here: " + said);
        try {
            assertExplained(start("-Djava.io.tmpdir=" + mounted),
                    mounted.toString(), "mounted noexec", "-Djava.io.tmpdir", "-Dgatepass.native.path");
            try (var files = Files.list(mounted)) {
                assertEquals(List.of(), files.filter(file -> file.toString().endsWith(".so")).toList());
            }
        } finally {
            assertEquals(0, new ProcessBuilder("umount", "--lazy", mounted.toString()).start().waitFor());
        }
    }

    @Test
    void theCLibraryIsTheOneThatIsLoaded() {
        String alpine = "7f1d5c0a5000-7f1d5c0b9000 r--p 00000000 fe:01 1442 /lib/ld-musl-x86_64.so.1\n";
        String debian = "7f6cb0228000-7f6cb024e000 r--p 00000000 fe:01 2187 /usr/lib/x86_64-linux-gnu/libc.so.6\n";
        assertTrue(NativeLibrary.isMusl(debian.replace("libc.so.6", "libz.so.1") + alpine));
        assertFalse(NativeLibrary.isMusl(debian));
        assertFalse(NativeLibrary.isMusl(""));
    }

    private static void assertExplained(String printed, String... words) {
        List<String> lines = printed.lines().filter(line -> line.startsWith("thrown: ")).toList(); // Or the JVM's.
        assertEquals(Probe.CALLS.size(), lines.size(), printed);
        for (String line : lines) {
            assertTrue(line.startsWith("thrown: java.lang.UnsatisfiedLinkError: gatepass cannot "), printed);
            for (String word : words) {
                assertTrue(line.contains(word), line);
            }
        }
    }

    private static String start(String property) throws Exception {
        String classPath = String.join(File.pathSeparator, List.of(Gatepass.class, Probe.class, JsonReader.class).stream()
                .map(NativeLibraryTest::place).toList());
        Process java = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), property,
                "-cp", classPath, Probe.class.getName()).redirectErrorStream(true).start();
        return Utf8.text(java.getInputStream().readAllBytes());
    }

    private static String place(Class<?> type) {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().getPath()).toString();
    }

    /** Calls gatepass in a JVM of its own, and prints what each call throws. */
    static final class Probe {
        static final List<Runnable> CALLS = List.of(
                () -> Verifier.google("https://orders.example"),
                () -> Gatepass.fetchIdToken("https://orders.example"),
                Gatepass::version,
                Gatepass::ownAudiences,
                () -> Verifier.builder().build(),
                () -> TokenSource.builder().build(),
                () -> Verifier.builder().explain("token"),
                () -> Verifier.google("https://orders.example"));

        public static void main(String[] arguments) {
            for (Runnable call : CALLS) {
                try {
                    call.run();
                    System.out.println("thrown: nothing");
                } catch (Throwable thrown) {
                    System.out.println("thrown: " + thrown.toString().replace("\n", " "));
                }
            }
        }
    }
}
