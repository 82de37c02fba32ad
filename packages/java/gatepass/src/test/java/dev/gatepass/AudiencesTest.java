package dev.gatepass;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class AudiencesTest {
    @Test
    void aUrlHasTwoSpellings() {
        List<String> both = List.of("https://orders.example", "https://orders.example/");
        both.forEach(audience -> assertEquals(both, Gatepass.sameAudienceSpellings(audience)));
        assertEquals(List.of("orders"), Gatepass.sameAudienceSpellings("orders"));
    }

    @Test
    void aServiceKnowsItsOwn() {
        Map<String, String> environment = new HashMap<>(Emulators.fresh().environment());
        environment.put("K_SERVICE", "orders");
        List<String> own = Futures.await(OwnAudiences.ask(environment::get));
        assertEquals(Gatepass.sameAudienceSpellings(own.get(0)), own);
        assertEquals(own.get(0), Gatepass.audienceForUrl(URI.create(own.get(0) + "/path")));
        assertTrue(own.get(0).matches("https://orders-\\d+\\.[a-z0-9-]+\\.run\\.app"), own::toString);
    }

    @Test
    void elsewhereThanOnCloudRunThereAreNone() {
        GatepassException none = assertThrows(GatepassException.class,
                () -> Futures.await(OwnAudiences.ask(name -> null)));
        assertEquals(ErrorCode.INVALID_AUDIENCE, none.code());
    }

    @Test
    void aMetadataServerThatIsAwayIsATransportFailure() throws Exception {
        Map<String, String> environment =
                Map.of("K_SERVICE", "orders", "GCE_METADATA_HOST", BadInputTest.hostAndPortOfNobody());
        assertThrows(TransportException.class, () -> Futures.await(OwnAudiences.ask(environment::get)));
    }
}
