package dev.gatepass;

import java.lang.ref.SoftReference;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The claims of tokens that the core remembers, by its entries. The low bits of an entry are a place, which the core gives
 * to another token only when it has forgotten the one that had it, and it forgets one when all that are remembered would
 * take more than {@code rememberedBytes}: so this table needs no bound of its own. Before memory runs out all the same,
 * the JVM drops claims; they are read again from the core. Who reads waits for nobody.
 */
final class ClaimsMemory {
    private static final int FIRST_LENGTH = 64;

    /** As long as the places that were seen; replaced by a longer one with the same claims. */
    private volatile AtomicReferenceArray<SoftReference<Claims>> places = new AtomicReferenceArray<>(FIRST_LENGTH);

    /** The claims of an entry; null if they are not held. */
    Claims get(long entry) {
        AtomicReferenceArray<SoftReference<Claims>> seen = places;
        int place = place(entry);
        SoftReference<Claims> reference = place < seen.length() ? seen.get(place) : null;
        Claims held = reference == null ? null : reference.get();
        return held != null && held.entry() == entry ? held : null;
    }

    synchronized void put(Claims claims) {
        int place = place(claims.entry());
        if (place >= places.length()) {
            places = longer(places, Integer.highestOneBit(place) * 2);
        }
        places.set(place, new SoftReference<>(claims));
    }

    private static AtomicReferenceArray<SoftReference<Claims>> longer(
            AtomicReferenceArray<SoftReference<Claims>> places, int length) {
        AtomicReferenceArray<SoftReference<Claims>> longer = new AtomicReferenceArray<>(length);
        for (int place = 0; place < places.length(); place++) {
            longer.set(place, places.get(place));
        }
        return longer;
    }

    private static int place(long entry) {
        return (int) entry & (Limits.PLACES - 1);
    }
}
