package dev.gatepass;

import dev.gatepass.driver.Answer;
import dev.gatepass.driver.Driver;
import dev.gatepass.driver.Flights;
import dev.gatepass.driver.Suppliers;
import dev.gatepass.json.Json;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;

/** Asks which Cloud Run service this process is. */
final class OwnAudiences {
    private OwnAudiences() {}

    static CompletableFuture<List<String>> ask(UnaryOperator<String> environment) {
        Native.require();
        return new Flights(new Driver(environment, Suppliers.NONE, Time.SYSTEM.pause(), Limits.BOUNDS), Limits.LOOKS)
                .settle(OwnAudiences::begin, end -> Json.texts(Failures.output(end).get("audiences")));
    }

    /** The operation, which nobody joins: each caller asks for itself. */
    private static Answer<List<String>> begin() {
        return Answer.drive(new Op(Native.ownAudiences(), 0, Time.SYSTEM));
    }
}
