package dev.gatepass;

import dev.gatepass.json.Json;
import dev.gatepass.json.Utf8;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Enumeration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/** The headers of a request that may carry a token, as the core takes them: every value of each. */
final class TokenHeaders {
    /** In lower case, and in the order in which the core takes them. */
    private static final List<String> NAMES = Json.texts(Json.read(Utf8.text(Native.tokenHeaders())));

    private TokenHeaders() {}

    /** From a function such as a servlet request's: one text for each header, null for one that is absent. */
    static byte[][] from(Function<String, Enumeration<String>> headers) {
        byte[][] all = new byte[NAMES.size()][];
        for (int i = 0; i < all.length; i++) {
            List<String> values = new ArrayList<>();
            Enumeration<String> given = headers.apply(NAMES.get(i));
            while (given != null && given.hasMoreElements()) {
                values.add(given.nextElement());
            }
            all[i] = join(values);
        }
        return all;
    }

    /** From a map with names in any case, and texts, lists or arrays of them as values. */
    static byte[][] from(Map<String, ?> headers) {
        List<List<String>> found = NAMES.stream().map(name -> (List<String>) new ArrayList<String>()).toList();
        headers.forEach((name, value) -> {
            int index = name == null ? -1 : NAMES.indexOf(name.toLowerCase(Locale.ROOT));
            if (index >= 0) {
                add(name, value, found.get(index));
            }
        });
        return found.stream().map(TokenHeaders::join).toArray(byte[][]::new);
    }

    private static void add(String name, Object value, List<String> values) {
        if (value instanceof String text) {
            values.add(text);
        } else if (value instanceof Collection<?> several) {
            several.forEach(each -> add(name, each, values));
        } else if (value instanceof Object[] several) {
            List.of(several).forEach(each -> add(name, each, values));
        } else if (value != null) {
            throw new IllegalArgumentException("headers: the value of " + name + " is of the class "
                    + value.getClass().getName() + ", expected a String, or a collection or an array of them");
        }
    }

    /** No value can hold the line feed between them (RFC 9110, section 5.5): the core sees how many there are. */
    private static byte[] join(List<String> values) {
        return values.isEmpty() ? null : Utf8.bytes(String.join("\n", values));
    }
}
