package dev.gatepass;

import static dev.gatepass.Vectors.members;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatepass.json.Json;
import dev.gatepass.json.Utf8;
import dev.gatepass.testing.Emulator;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** A key, a token or a password where something else belongs, in any option, variable or field: nothing shows it. */
class MisplacedSecretsTest {
    private static final String AUDIENCE = "https://orders.example";
    private static final String SCOPE = "https://www.googleapis.com/auth/cloud-platform";

    private static final Map<String, String> SECRETS = Map.of(
            "key", Emulators.fresh().credentialFile("--email", "caller@project.iam.gserviceaccount.com"),
            "token", Emulators.fresh().mint(Map.of("claims", Map.of("aud", AUDIENCE))),
            "random", "q7Zr0Xn4Lk2Wv8Ts6Yp1Hd3Jf5Gb9Mc7Ea0Ui2Oo4Qq6Ww8Ee1Rr3Tt5Yy7Uu9Ii");

    @TempDir
    private Path folder;

    @TestFactory
    Stream<DynamicTest> optionsOfASource() {
        return options(TokenSource.Builder.class, MisplacedSecretsTest::sourceOptions, builder -> {
            TokenSource source = ((TokenSource.Builder) builder).build();
            source.fetchAccessToken(SCOPE);
            source.fetchIdToken(AUDIENCE);
            return "";
        });
    }

    @TestFactory
    Stream<DynamicTest> optionsOfAVerifier() {
        return options(Verifier.Builder.class, () -> Verifier.builder().audience(AUDIENCE).time(time())
                .environment(name -> null), builder -> {
            ((Verifier.Builder) builder).explain("a.b.c");
            ((Verifier.Builder) builder).build().verify(SECRETS.get("token"));
            return "";
        });
    }

    @TestFactory
    Stream<DynamicTest> optionsOfClients() {
        return options(IdTokenClient.Builder.class, IdTokenClient::builder, builder -> {
            ((IdTokenClient.Builder) builder).planner.build().plan(URI.create("https://orders.example/"));
            return "";
        });
    }

    @TestFactory
    Stream<DynamicTest> variables() throws IOException {
        // No other module of the core names one.
        String code = Files.readString(Path.of("../../../core/src/environment.rs")).split("#\\[cfg\\(test\\)]")[0];
        Set<String> names = Pattern.compile("\"([A-Z][A-Z0-9_]{3,}|[a-z]+_proxy)\"").matcher(code).results()
                .map(found -> found.group(1)).collect(Collectors.toCollection(TreeSet::new));
        assertTrue(names.size() > 30, names::toString);
        return names.stream().flatMap(name -> SECRETS.entrySet().stream().map(secret ->
                DynamicTest.dynamicTest(name + " is a " + secret.getKey(), () -> {
                    UnaryOperator<String> environment = wanted -> wanted.equals(name) ? secret.getValue() : null;
                    assertHidden(secret.getValue(), tryAll(
                            TokenSource.builder().environment(environment).time(time()).build()));
                    assertHidden(secret.getValue(), shownBy(() -> Verifier.builder().audience(AUDIENCE)
                            .environment(environment).time(time()).build().verify("a.b.c").toString()));
                })));
    }

    /** Which members there are, the schema says: its examples have them all. */
    @TestFactory
    Stream<DynamicTest> fieldsOfACredentialFile() throws IOException {
        Emulator emulator = Emulators.fresh();
        String schema = Files.readString(Path.of("../../../interface/credential_file.schema.json"))
                .replace("https://emulator.example", emulator.url().toString());
        Path gdch = folder.resolve("gdch.json");
        emulator.credentialFile("--type", "gdch_service_account", "--name", "orders", "--out", gdch.toString());
        Map<String, Object> keys = Map.of( // That sign.
                "service_account", key(SECRETS.get("key")),
                "gdch_service_account", key(Files.readString(gdch)));
        Map<String, String> environment = Map.of("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1");
        List<DynamicTest> tests = new ArrayList<>();
        for (Object kind : (List<?>) Json.readMembers(Utf8.bytes(schema)).get("anyOf")) {
            Map<?, ?> example = (Map<?, ?>) ((List<?>) ((Map<?, ?>) kind).get("examples")).get(0);
            SECRETS.forEach((name, secret) -> {
                Map<String, Object> file = members(copyOf(example));
                file.computeIfPresent("private_key", (member, none) -> keys.get((String) file.get("type")));
                eachTextReplaced(file, secret, "", path -> {
                    String broken = Utf8.text(Json.write(file));
                    tests.add(DynamicTest.dynamicTest(path + " is a " + name, () -> assertHidden(secret, tryAll(
                            emulator.tokenSource().credentialsJson(broken).environment(environment::get).time(time())
                                    .build()))));
                });
            });
        }
        assertTrue(tests.size() > 300, () -> tests.size() + " only");
        return tests.stream();
    }

    private static Object key(String file) {
        return Json.readMembers(Utf8.bytes(file)).get("private_key");
    }

    /** The document, such that all of it can be changed. */
    private static Object copyOf(Object document) {
        if (document instanceof Map<?, ?> members) {
            Map<Object, Object> copy = new LinkedHashMap<>();
            members.forEach((name, member) -> copy.put(name, copyOf(member)));
            return copy;
        }
        return document instanceof List<?> items ? new ArrayList<>(items.stream().map(item -> copyOf(item)).toList())
                : document;
    }

    /** Calls {@code see} for each text in a document, while another stands there. */
    @SuppressWarnings("unchecked")
    private static void eachTextReplaced(Object document, String other, String at, Consumer<String> see) {
        if (document instanceof Map<?, ?>) {
            for (Map.Entry<String, Object> member : members(document).entrySet()) {
                replace(member::getValue, member::setValue, other, at + "/" + member.getKey(), see);
            }
        } else if (document instanceof List<?> items) {
            for (int index = 0; index < items.size(); index++) {
                int place = index;
                replace(() -> items.get(place), text -> ((List<Object>) items).set(place, text), other, at + "/" + index, see);
            }
        }
    }

    private static void replace(
            Supplier<Object> get, Consumer<Object> set, String other, String at, Consumer<String> see) {
        Object was = get.get();
        if (was instanceof String) {
            set.accept(other);
            see.accept(at);
            set.accept(was);
        } else {
            eachTextReplaced(was, other, at, see);
        }
    }

    @TestFactory
    Stream<DynamicTest> argumentsOfCalls() {
        return SECRETS.entrySet().stream().map(secret -> DynamicTest.dynamicTest(secret.getKey(), () -> {
            String value = secret.getValue();
            Verifier verifier = Verifier.builder().audience(AUDIENCE).keys("{\"keys\":[]}").build();
            TokenSource source = Emulators.fresh().tokenSource().time(time()).build();
            List<Shown> calls = List.of(
                    () -> verifier.verify(value).toString(),
                    () -> verifier.verify(value + "\n").toString(),
                    () -> verifier.verifyRequest(Map.of("Authorization", value)).toString(),
                    () -> verifier.verifyRequest(Map.of("Authorization", "Bearer " + value)).toString(),
                    () -> verifier.verifyRequest(Map.of("X-Serverless-Authorization", "Basic " + value)).toString(),
                    () -> verifier.explain(value).toString(),
                    () -> verifier.explain(value, null, value).toString(),
                    () -> Gatepass.explain("Bearer " + value).toString(),
                    () -> source.fetchIdTokenAsync(value).join().substring(0, 3),
                    () -> source.fetchAccessToken(value).substring(0, 3),
                    () -> source.fetchSelfSignedJwt(value).substring(0, 3));
            for (Shown call : calls) {
                assertHidden(value, shownBy(call));
            }
        }));
    }

    /** Each public method of a builder that takes text, with a secret in each place. */
    private static Stream<DynamicTest> options(Class<?> type, Supplier<Object> builder, Use use) {
        List<Method> methods = Arrays.stream(type.getMethods())
                .filter(method -> method.getReturnType().isAssignableFrom(type) && !Modifier.isStatic(method.getModifiers()))
                .filter(method -> method.getDeclaringClass() != Object.class && !method.isBridge())
                .filter(method -> Arrays.stream(method.getParameterTypes()).anyMatch(MisplacedSecretsTest::isText))
                .sorted(Comparator.comparing(Method::getName)).toList();
        assertFalse(methods.isEmpty());
        return methods.stream().flatMap(method -> SECRETS.entrySet().stream().map(secret ->
                DynamicTest.dynamicTest(method.getName() + " with a " + secret.getKey(), () ->
                        assertHidden(secret.getValue(), shownBy(() -> {
                            Object options = builder.get();
                            Object[] arguments = Arrays.stream(method.getParameterTypes())
                                    .map(parameter -> argument(parameter, secret.getValue())).toArray();
                            try {
                                method.invoke(options, arguments);
                            } catch (InvocationTargetException thrown) {
                                throw (Exception) thrown.getCause();
                            }
                            return options + use.of(options);
                        })))));
    }

    private static boolean isText(Class<?> type) {
        return type == String.class || type == String[].class || type == Path.class || type == URI.class;
    }

    private static Object argument(Class<?> type, String secret) {
        if (type == String.class) {
            return secret;
        }
        if (type == String[].class) {
            return new String[] {secret};
        }
        if (type == Path.class) {
            return Path.of(secret);
        }
        if (type == URI.class) { // A URL has no spaces and line breaks, so only a part of a key fits.
            return URI.create("https://" + secret.replaceAll("[^A-Za-z0-9]", "") + ".example/" + secret.replaceAll("[^A-Za-z0-9]", ""));
        }
        return null;
    }

    private static Object sourceOptions() {
        return TokenSource.builder().environment(name -> null).time(time());
    }

    private static String tryAll(TokenSource source) {
        return shownBy(() -> source.fetchAccessToken(SCOPE).substring(0, 3))
                + shownBy(() -> source.fetchIdToken(AUDIENCE).substring(0, 3))
                + shownBy(() -> source.fetchSelfSignedJwt(AUDIENCE).substring(0, 3));
    }

    /** Waits for nothing, and everything is over soon. */
    private static Time time() {
        return HandClock.hasty().time();
    }

    private static String shownBy(Shown call) {
        try (Logs logs = new Logs()) {
            try {
                return call.text() + logs;
            } catch (Exception failure) {
                return Secrets.shownBy(failure) + logs;
            }
        }
    }

    /** Of a key each line and of a token each part; of what is left the middle. */
    private static void assertHidden(String secret, String shown) {
        List<String> parts = Stream.concat(Secrets.in(secret), Stream.of(secret.replaceAll("[^A-Za-z0-9]", "")))
                .filter(part -> part.length() >= 40).map(part -> part.substring(part.length() - 30)).toList();
        assertFalse(parts.isEmpty());
        for (String part : parts) {
            assertFalse(shown.contains(part), () -> part + " is in " + shown);
        }
        assertEquals(-1, shown.indexOf("PRIVATE KEY"), shown);
    }

    @FunctionalInterface
    private interface Shown {
        String text() throws Exception;
    }

    @FunctionalInterface
    private interface Use {
        String of(Object builder);
    }
}
