package dev.gatepass;

import dev.gatepass.driver.Driver;
import dev.gatepass.driver.Flights;
import dev.gatepass.driver.Suppliers;
import dev.gatepass.json.Json;
import java.lang.ref.Reference;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Keys of issuers, and how verifiers wait for them: those of one keys URL share them. */
final class KeyCache {
    private final long handle = Native.newKeys();
    private final Driver driver;
    private final Flights flights;

    KeyCache(UnaryOperator<String> environment, Time time) {
        driver = new Driver(environment, Suppliers.NONE, time.pause(), Limits.BOUNDS);
        flights = new Flights(driver, Limits.LOOKS);
        Handles.freeWhenUnreachable(this, handle, Native::freeKeys);
    }

    /** Those of all verifiers that have no clock and no environment of their own. */
    static KeyCache shared() {
        return Shared.KEYS;
    }

    Flights flights() {
        return flights;
    }

    /** The operation that makes a verifier, whose only wish is to read the environment. */
    Op open(Map<String, Object> options, Time time) {
        try {
            return new Op(Native.openVerifier(Json.write(options), handle), 0, time);
        } finally {
            Reference.reachabilityFence(this); // Or the handle might be freed while the call runs.
        }
    }

    Driver driver() {
        return driver;
    }

    private static final class Shared {
        static final KeyCache KEYS = new KeyCache(System::getenv, Time.SYSTEM);
    }
}
