package dev.gatepass.grpc;

import io.grpc.Metadata;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The keys of headers. Their names come from the core, and so are few. */
final class Headers {
    private static final Map<String, Metadata.Key<String>> KEYS = new ConcurrentHashMap<>();

    private Headers() {}

    static Metadata.Key<String> key(String name) {
        Metadata.Key<String> key = KEYS.get(name);
        return key != null ? key
                : KEYS.computeIfAbsent(name, made -> Metadata.Key.of(made, Metadata.ASCII_STRING_MARSHALLER));
    }
}
