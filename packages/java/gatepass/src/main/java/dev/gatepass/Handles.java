package dev.gatepass;

import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongConsumer;

/**
 * Frees what lives on the other side of the border when nothing can reach its owner any more. Sources and verifiers are
 * shared freely, so nobody can know who should close one, and a closed one would be one more thing that can go wrong.
 *
 * <p>It is freed when the next one is made. A {@link java.lang.ref.Cleaner} would do it sooner, but its thread keeps
 * this class, and with it the application that brings gatepass along, from being unloaded.
 */
final class Handles {
    private static final ReferenceQueue<Object> UNREACHABLE = new ReferenceQueue<>();
    private static final Set<Reference<?>> HELD = ConcurrentHashMap.newKeySet();

    private Handles() {}

    static void freeWhenUnreachable(Object owner, long handle, LongConsumer free) {
        for (Reference<?> gone = UNREACHABLE.poll(); gone != null; gone = UNREACHABLE.poll()) {
            ((Held) gone).free();
        }
        HELD.add(new Held(owner, handle, free));
    }

    private static final class Held extends PhantomReference<Object> {
        private final long handle;
        private final LongConsumer free;

        Held(Object owner, long handle, LongConsumer free) {
            super(owner, UNREACHABLE);
            this.handle = handle;
            this.free = free;
        }

        void free() {
            HELD.remove(this);
            free.accept(handle);
        }
    }
}
