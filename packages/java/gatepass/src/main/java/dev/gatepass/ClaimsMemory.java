package dev.gatepass;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The claims of tokens that the core remembers, by its entries. The low bits of an entry are a place, which the core gives
 * to another token only when it has forgotten the one that had it: so this table is never larger than the core's memory, and
 * needs no bound of its own. Who reads waits for nobody and writes nothing.
 */
final class ClaimsMemory {
    /** How many places the core has, a power of two. */
    static final int PLACES = 1 << 17;

    private static final int FIRST_LENGTH = 64;

    /** As long as the places that were seen; replaced by a longer one with the same claims. */
    private volatile AtomicReferenceArray<Claims> places = new AtomicReferenceArray<>(FIRST_LENGTH);

    /** The claims of an entry; null if they are not held. */
    Claims get(long entry) {
        AtomicReferenceArray<Claims> seen = places;
        int place = place(entry);
        Claims held = place < seen.length() ? seen.get(place) : null;
        return held != null && held.entry() == entry ? held : null;
    }

    synchronized void put(Claims claims) {
        int place = place(claims.entry());
        if (place >= places.length()) {
            places = longer(places, Integer.highestOneBit(place) * 2);
        }
        places.set(place, claims);
    }

    private static AtomicReferenceArray<Claims> longer(AtomicReferenceArray<Claims> places, int length) {
        AtomicReferenceArray<Claims> longer = new AtomicReferenceArray<>(length);
        for (int place = 0; place < places.length(); place++) {
            longer.set(place, places.get(place));
        }
        return longer;
    }

    private static int place(long entry) {
        return (int) entry & (PLACES - 1);
    }
}
