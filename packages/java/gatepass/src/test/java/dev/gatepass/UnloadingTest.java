package dev.gatepass;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;

import com.google.gson.stream.JsonReader;
import dev.gatepass.testing.Emulator;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** An application that brings gatepass along, as a servlet container deploys it, is unloaded when it is dropped. */
class UnloadingTest {
    private static final String AUDIENCE = "https://orders.example";
    private static final int DEPLOYMENTS = 10;
    private static final int SOURCES = 50;

    @Test
    void whatWasDroppedIsGone() throws Exception {
        Emulator emulator = Emulators.fresh();
        Map<String, String> environment = emulator.environment();
        List<WeakReference<ClassLoader>> dropped = new ArrayList<>();
        for (int i = 0; i < DEPLOYMENTS; i++) {
            dropped.add(deploy(environment::get, emulator.keysUrl()));
        }
        for (WeakReference<ClassLoader> loader : dropped) {
            awaitEnd(loader);
        }
        // The last one to check that the test can see a loader that lives.
        WeakReference<ClassLoader> held = deploy(environment::get, emulator.keysUrl());
        ClassLoader still = held.get();
        System.gc();
        assertEquals(still, held.get());
    }

    @Test
    void whatWasHeldOutsideOfTheHeapIsFreed() throws Exception {
        awaitEnd(deployMuch()); // The first one makes the heap as large as it has to be.
        long before = residentMegabytes();
        for (int i = 0; i < DEPLOYMENTS; i++) {
            awaitEnd(deployMuch()); // What is freed before the next deployment is used again by it.
        }
        while (residentMegabytes() - before > DEPLOYMENTS * SOURCES / 2) { // JUnit's timeout bounds this.
            System.gc();
            Thread.onSpinWait();
        }
    }

    /** Makes sources that hold a megabyte each, and drops them with the loader of their classes. */
    private static WeakReference<ClassLoader> deployMuch() throws Exception {
        String text = "x".repeat(1 << 20);
        try (URLClassLoader loader = loader()) {
            Class<?> source = loader.loadClass("dev.gatepass.TokenSource");
            List<Object> made = new ArrayList<>();
            for (int each = 0; each < SOURCES; each++) {
                Object builder = source.getMethod("builder").invoke(null);
                builder.getClass().getMethod("credentialsJson", String.class).invoke(builder, text);
                made.add(builder.getClass().getMethod("build").invoke(builder));
            }
            return new WeakReference<>(loader);
        }
    }

    private static void awaitEnd(WeakReference<ClassLoader> dropped) {
        while (dropped.get() != null) { // JUnit's timeout bounds this.
            System.gc();
            Thread.onSpinWait();
        }
    }

    private static long residentMegabytes() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", ""))).sum() / 1024;
        }
    }

    private static URLClassLoader loader() {
        return new URLClassLoader(new URL[] {
            Gatepass.class.getProtectionDomain().getCodeSource().getLocation(),
            JsonReader.class.getProtectionDomain().getCodeSource().getLocation()
        }, ClassLoader.getPlatformClassLoader());
    }

    private static WeakReference<ClassLoader> deploy(UnaryOperator<String> environment, URI keysUrl) throws Exception {
        try (URLClassLoader loader = loader()) {
            Class<?> source = loader.loadClass("dev.gatepass.TokenSource");
            assertNotSame(TokenSource.class, source);
            Object builder = source.getMethod("builder").invoke(null);
            builder.getClass().getMethod("environment", UnaryOperator.class).invoke(builder, environment);
            Object made = builder.getClass().getMethod("build").invoke(builder);
            String token = (String) source.getMethod("fetchIdToken", String.class).invoke(made, AUDIENCE);

            Class<?> verifier = loader.loadClass("dev.gatepass.Verifier");
            Object options = verifier.getMethod("builder").invoke(null);
            options.getClass().getMethod("audience", String.class).invoke(options, AUDIENCE);
            options.getClass().getMethod("keysUrl", URI.class).invoke(options, keysUrl);
            Object built = options.getClass().getMethod("build").invoke(options);
            Object claims = verifier.getMethod("verify", String.class).invoke(built, token);
            assertEquals(List.of(AUDIENCE), claims.getClass().getMethod("audiences").invoke(claims));

            Class<?> gatepass = loader.loadClass("dev.gatepass.Gatepass");
            gatepass.getMethod("idTokenClient", String.class).invoke(null, AUDIENCE);
            return new WeakReference<>(loader);
        }
    }
}
