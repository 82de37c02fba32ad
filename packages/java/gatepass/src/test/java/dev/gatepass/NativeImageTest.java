package dev.gatepass;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.gatepass.json.Utf8;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What the jar tells GraalVM's native-image is there. That it suffices only native-image itself can show. */
class NativeImageTest {
    private static final String FOLDER = "/META-INF/native-image/dev.gatepass/gatepass/";

    @Test
    void everyMethodThatTheNativeCodeLooksUpIsThere() throws Exception {
        JsonArray types = read("jni-config.json").getAsJsonArray();
        assertFalse(types.isEmpty());
        for (JsonElement element : types) {
            JsonObject described = element.getAsJsonObject();
            Class<?> type = Class.forName(described.get("name").getAsString());
            JsonArray methods = described.has("methods") ? described.getAsJsonArray("methods") : new JsonArray();
            for (JsonElement method : methods) {
                String name = method.getAsJsonObject().get("name").getAsString();
                List<Class<?>> parameters = new ArrayList<>();
                for (JsonElement parameter : method.getAsJsonObject().getAsJsonArray("parameterTypes")) {
                    parameters.add(parameter(parameter.getAsString()));
                }
                assertDoesNotThrow(() -> type.getDeclaredMethod(name, parameters.toArray(Class<?>[]::new)), name);
            }
        }
    }

    /** A member that native-image does not know, it refuses or reads past, as its version has it. */
    @Test
    void theMembersAreThoseOfTheFormat() throws Exception {
        for (JsonElement type : read("jni-config.json").getAsJsonArray()) {
            assertMembers(type, "name", "methods");
            if (!type.getAsJsonObject().has("methods")) continue;
            for (JsonElement method : type.getAsJsonObject().getAsJsonArray("methods")) {
                assertMembers(method, "name", "parameterTypes");
            }
        }
        JsonElement resources = read("resource-config.json");
        assertMembers(resources, "resources");
        JsonElement lists = resources.getAsJsonObject().get("resources");
        assertMembers(lists, "includes");
        for (JsonElement include : lists.getAsJsonObject().getAsJsonArray("includes")) {
            assertMembers(include, "pattern");
        }
    }

    @Test
    void theLibraryIsAmongTheResources() throws Exception {
        JsonObject resources = read("resource-config.json").getAsJsonObject().getAsJsonObject("resources");
        String pattern = resources.getAsJsonArray("includes").get(0).getAsJsonObject().get("pattern").getAsString();
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("mac") ? "macos" : "linux";
        String arch = System.getProperty("os.arch").replace("amd64", "x86_64");
        String library = "native/" + os + "-" + arch + "/" + System.mapLibraryName("gatepass_jni");
        assertNotNull(Native.class.getResource("/" + library), library);
        assertTrue(Pattern.matches(pattern, library), library);
    }

    /** As <a href="https://www.graalvm.org/jdk17/reference-manual/native-image/metadata/">its documentation</a> has them. */
    private static void assertMembers(JsonElement object, String... known) {
        Set<String> unknown = new TreeSet<>(object.getAsJsonObject().keySet());
        unknown.removeAll(Set.of(known));
        assertEquals(Set.of(), unknown);
    }

    private static Class<?> parameter(String name) throws ClassNotFoundException {
        return switch (name) {
            case "boolean" -> boolean.class;
            case "byte[]" -> byte[].class;
            default -> Class.forName(name);
        };
    }

    private static JsonElement read(String file) throws Exception {
        try (InputStream json = NativeImageTest.class.getResourceAsStream(FOLDER + file)) {
            assertNotNull(json, file);
            return JsonParser.parseString(Utf8.text(json.readAllBytes()));
        }
    }
}
