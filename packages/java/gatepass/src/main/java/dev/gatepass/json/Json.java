package dev.gatepass.json;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON as maps, lists, strings, booleans, null, and numbers as {@link Long} where that is exact, else {@link Double}.
 * Only what the core or the emulator has written or checked is read, so a fault is one of this package.
 */
public final class Json {
    private Json() {}

    /**
     * An object to fill, which keeps the order and may hold null.
     *
     * @return an empty map
     */
    public static Map<String, Object> members() {
        return new LinkedHashMap<>();
    }

    /**
     * Reads an object.
     *
     * @param json in UTF-8
     * @return a map that cannot be changed
     */
    @SuppressWarnings("unchecked")
    public static Map<String, Object> readMembers(byte[] json) {
        return (Map<String, Object>) read(Utf8.text(json));
    }

    /**
     * Reads any value.
     *
     * @param json a JSON text
     * @return maps and lists cannot be changed
     */
    public static Object read(String json) {
        try (JsonReader reader = new JsonReader(new StringReader(json))) {
            return read(reader);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /**
     * A list that holds nothing but texts.
     *
     * @param list a {@link List}
     * @return the same
     */
    public static List<String> texts(Object list) {
        return ((List<?>) list).stream().map(String.class::cast).toList();
    }

    /**
     * Writes a value.
     *
     * @param value of the kinds that {@link #read(String)} gives
     * @return a JSON text in UTF-8
     */
    public static byte[] write(Object value) {
        StringWriter text = new StringWriter();
        try (JsonWriter writer = new JsonWriter(text)) {
            write(value, writer);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        return Utf8.bytes(text.toString());
    }

    private static Object read(JsonReader reader) throws IOException {
        return switch (reader.peek()) {
            case BEGIN_OBJECT -> {
                Map<String, Object> members = members();
                reader.beginObject();
                while (reader.hasNext()) {
                    members.put(reader.nextName(), read(reader));
                }
                reader.endObject();
                yield Collections.unmodifiableMap(members);
            }
            case BEGIN_ARRAY -> {
                List<Object> elements = new ArrayList<>();
                reader.beginArray();
                while (reader.hasNext()) {
                    elements.add(read(reader));
                }
                reader.endArray();
                yield Collections.unmodifiableList(elements);
            }
            case NUMBER -> number(reader.nextString());
            case BOOLEAN -> reader.nextBoolean();
            case NULL -> {
                reader.nextNull();
                yield null;
            }
            default -> reader.nextString();
        };
    }

    private static Number number(String digits) {
        try {
            return Long.valueOf(digits);
        } catch (NumberFormatException notWhole) {
            return Double.valueOf(digits);
        }
    }

    private static void write(Object value, JsonWriter writer) throws IOException {
        if (value instanceof Map<?, ?> members) {
            writer.beginObject();
            for (Map.Entry<?, ?> member : members.entrySet()) {
                writer.name((String) member.getKey());
                write(member.getValue(), writer);
            }
            writer.endObject();
        } else if (value instanceof List<?> elements) {
            writer.beginArray();
            for (Object element : elements) {
                write(element, writer);
            }
            writer.endArray();
        } else if (value instanceof Number number) {
            writer.value(number);
        } else if (value instanceof Boolean bool) {
            writer.value(bool);
        } else {
            writer.value((String) value);
        }
    }
}
