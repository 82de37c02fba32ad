package dev.gatepass;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/** Values that can be had again, and so are all dropped when they become too many. For any number of threads. */
final class BoundedMemory<K, V> {
    private final Map<K, V> values = new ConcurrentHashMap<>();
    private final int limit;

    BoundedMemory(int limit) {
        this.limit = limit;
    }

    /** The value; null if it is not held. */
    V get(K key) {
        return values.get(key);
    }

    void put(K key, V value) {
        makeRoom();
        values.put(key, value);
    }

    /** The value, made if it is not held: always the same one until it is dropped. */
    V computeIfAbsent(K key, Function<K, V> make) {
        V held = values.get(key);
        if (held != null) {
            return held;
        }
        makeRoom();
        return values.computeIfAbsent(key, make);
    }

    void remove(K key) {
        values.remove(key);
    }

    void clear() {
        values.clear();
    }

    private void makeRoom() {
        if (values.size() >= limit) {
            values.clear();
        }
    }
}
