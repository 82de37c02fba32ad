package dev.gatepass;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatepass.json.Utf8;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What remembered claims take in the heap is no more than the core is told. */
class ClaimsCostTest {
    private static final int COUNT = 2_000;

    static Stream<String> payloads() {
        return Stream.of(
                "{}",
                "{\"iss\":\"https://accounts.google.com\",\"aud\":\"https://orders.example\",\"exp\":1800003600,"
                        + "\"iat\":1800000000,\"sub\":\"101458575803805380316\",\"email_verified\":true,"
                        + "\"email\":\"caller@project.iam.gserviceaccount.com\"}",
                object(100, "1800000000123"),
                object(100, "true"),
                object(100, "\"\u20ac\""),
                object(50, "{\"a\":1.5}"),
                "{\"list\":[" + "1,".repeat(200) + "1]}",
                "{\"long\":\"" + "x".repeat(4_000) + "\"}",
                "{\"wide\":\"" + "\u20ac".repeat(1_000) + "\"}");
    }

    @ParameterizedTest
    @MethodSource("payloads")
    void noMoreThanIsSaid(String payload) {
        long allowed = Claims.COST.get("token") + Claims.COST.get("member") * members(payload)
                + Claims.COST.get("byte") * Utf8.bytes(payload).length;
        ClaimsMemory memory = new ClaimsMemory();
        Claims[] kept = new Claims[COUNT]; // The memory alone holds them softly.
        long before = used();
        for (int i = 0; i < COUNT; i++) {
            kept[i] = new Claims(Utf8.bytes(payload), false, i + 1);
            kept[i].asMap();
            memory.put(kept[i]);
        }
        long each = (used() - before) / COUNT;
        assertTrue(memory.get(COUNT) == kept[COUNT - 1]);
        assertTrue(each <= allowed, each + " bytes, said are " + allowed + ": " + payload);
    }

    /** As the core counts: a comma, or what follows a bracket, begins one. */
    private static long members(String payload) {
        return payload.chars().filter(character -> character == ',' || character == '{' || character == '[').count();
    }

    private static String object(int members, String value) {
        return IntStream.range(0, members).mapToObj(i -> "\"m" + i + "\":" + value)
                .collect(Collectors.joining(",", "{", "}"));
    }

    private static long used() {
        Runtime runtime = Runtime.getRuntime();
        long used = Long.MAX_VALUE;
        for (int i = 0; i < 4; i++) {
            System.gc();
            used = Math.min(used, runtime.totalMemory() - runtime.freeMemory());
        }
        return used;
    }
}
