package dev.gatepass;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.gatepass.json.Utf8;
import org.junit.jupiter.api.Test;

class ClaimsMemoryTest {
    private final ClaimsMemory memory = new ClaimsMemory();

    @Test
    void claimsAreHeldByTheirEntry() {
        Claims one = put(1);
        Claims two = put(2);
        assertSame(one, memory.get(1));
        assertSame(two, memory.get(2));
        assertNull(memory.get(3));
    }

    @Test
    void anEntryThatHasThePlaceOfAnotherIsNotTakenForIt() {
        Claims early = put(7);
        long sharing = 7L + Limits.PLACES;
        assertNull(memory.get(sharing));
        assertSame(early, memory.get(7));
        Claims late = put(sharing);
        assertSame(late, memory.get(sharing));
        assertNull(memory.get(7));
    }

    @Test
    void entriesBeyondThirtyTwoBitsAreToldApart() {
        Claims large = put(5L + (1L << 40));
        assertSame(large, memory.get(5L + (1L << 40)));
        assertNull(memory.get(5));
    }

    @Test
    void whatIsHeldIsStillHeldWhenMoreCome() {
        Claims first = put(1);
        Claims last = put(Limits.PLACES - 1L);
        assertSame(first, memory.get(1));
        assertSame(last, memory.get(Limits.PLACES - 1L));
        assertNull(memory.get(Limits.PLACES - 2L));
    }

    private Claims put(long entry) {
        Claims claims = new Claims(Utf8.bytes("{}"), false, entry);
        memory.put(claims);
        return claims;
    }
}
