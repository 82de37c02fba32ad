package dev.gatepass;

import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;

/** Asks which Cloud Run service this process is. */
final class OwnAudiences {
    private OwnAudiences() {}

    static CompletableFuture<List<String>> ask(UnaryOperator<String> environment) {
        Flights flights = new Flights(new Driver(Clock.systemUTC(), environment, new Suppliers(Map.of())));
        return flights.settle(OwnAudiences::begin, fetched -> Json.texts(fetched.get("audiences")));
    }

    /** The operation, which nobody joins: each caller asks for itself. */
    private static Answer<List<String>> begin() {
        return new Answer<>(Answer.Status.DRIVE, null, 0, new Op(Native.ownAudiences(), 0));
    }
}
