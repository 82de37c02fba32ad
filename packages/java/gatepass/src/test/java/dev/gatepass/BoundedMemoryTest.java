package dev.gatepass;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BoundedMemoryTest {
    private final BoundedMemory<Integer, String> memory = new BoundedMemory<>(3);

    @Test
    void whatIsPutIsHeld() {
        memory.put(1, "one");
        assertEquals("one", memory.get(1));
        assertEquals("one", memory.computeIfAbsent(1, key -> "another"));
        assertEquals("two", memory.computeIfAbsent(2, key -> "two"));
        assertEquals("two", memory.get(2));
    }

    @Test
    void itDropsAllBeforeItGrowsBeyondItsLimit() {
        IntStream.rangeClosed(1, 4).forEach(key -> memory.put(key, "value"));
        assertNull(memory.get(3));
        assertEquals("value", memory.get(4));
        IntStream.rangeClosed(5, 7).forEach(key -> memory.computeIfAbsent(key, made -> "value"));
        assertNull(memory.get(6));
        assertEquals("value", memory.get(7));
    }
}
