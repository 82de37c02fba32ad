package dev.gatepass;

import static dev.gatepass.Vectors.list;
import static dev.gatepass.Vectors.members;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatepass.json.Json;
import dev.gatepass.json.Utf8;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Every token of tests/vectors/verify and tests/vectors/algorithms is decided as expected, through the public API. */
class VerifyVectorsTest {
    @Test
    void attackCorpus() throws IOException {
        Map<String, Object> corpus = Vectors.read("verify/attack_corpus.json");
        Map<String, Object> codes = Vectors.read("verify/codes.json");
        assertFalse(list(corpus, "cases").isEmpty());
        List<String> wrong = new ArrayList<>();
        for (Object each : list(corpus, "cases")) {
            Map<String, Object> test = members(each);
            String verdict = decide(corpus, test);
            boolean right = verdict.equals("accept")
                    ? test.get("expected").equals("accept")
                    : test.get("expected").equals("reject") && list(test, "reasons").stream()
                            .anyMatch(reason -> list(codes, (String) reason).contains(verdict));
            if (!right) {
                wrong.add(test.get("id") + " " + test.get("name") + ": " + verdict + ", not " + test.get("reasons"));
            }
        }
        assertEquals(List.of(), wrong);
    }

    @Test
    void algorithms() throws IOException {
        Map<String, Object> vectors = Vectors.read("algorithms/algorithms.json");
        assertFalse(list(vectors, "cases").isEmpty());
        for (Object each : list(vectors, "cases")) {
            Map<String, Object> test = members(each);
            Verifier verifier = Verifier.builder()
                    .issuers((String) vectors.get("issuer"))
                    .audience((String) vectors.get("audience"))
                    .algorithms(list(test, "algorithms").toArray(String[]::new))
                    .keys(Utf8.text(Json.write(test.get("keys"))))
                    .clock(Clock.fixed(Instant.ofEpochSecond((Long) vectors.get("now")), ZoneOffset.UTC))
                    .build();
            assertEquals(test.get("expected"), verdict(verifier, (String) test.get("token")), (String) test.get("name"));
        }
    }

    @Test
    void presetsOfAnEmulator() throws IOException {
        Map<String, Object> vectors = Vectors.read("presets/emulator.json");
        assertFalse(list(vectors, "cases").isEmpty());
        for (Object each : list(vectors, "cases")) {
            Map<String, Object> test = members(each);
            Map<String, Object> environment = members(test.get("environment"));
            String outcome = "accept";
            try {
                Verifier.builder().audience((String) vectors.get("audience"))
                        .environment(name -> (String) environment.get(name)).build();
            } catch (GatepassException refused) {
                outcome = refused.code().name();
                String found = String.valueOf(test.get("found"));
                assertTrue(refused.getMessage().contains(found), refused::getMessage);
            }
            assertEquals(test.get("expected"), outcome, (String) test.get("name"));
        }
    }

    @Test
    void presets() throws IOException {
        Map<String, Object> vectors = Vectors.read("presets/presets.json");
        assertFalse(list(vectors, "cases").isEmpty());
        for (Object each : list(vectors, "cases")) {
            Map<String, Object> test = members(each);
            Verifier.Builder builder = Verifier.builder()
                    .audience((String) test.get("audience"))
                    .keys(Utf8.text(Json.write(vectors.get("keys"))))
                    .clock(Clock.fixed(Instant.ofEpochSecond((Long) vectors.get("now")), ZoneOffset.UTC));
            if (test.get("issuers") != null) {
                builder.issuers(list(test, "issuers").toArray(String[]::new));
            }
            if (test.get("algorithms") != null) {
                builder.algorithms(list(test, "algorithms").toArray(String[]::new));
            }
            if (test.get("preset") instanceof String preset) {
                switch (preset) {
                    case "google" -> builder.google();
                    case "oidc" -> builder.oidc((String) list(test, "issuers").get(0));
                    case "iap" -> builder.iap();
                    default -> throw new AssertionError(preset);
                }
            }
            String verdict;
            try {
                verdict = verdict(builder.build(), (String) test.get("token"));
            } catch (GatepassException refused) {
                verdict = refused.code().name();
            }
            assertEquals(test.get("expected"), verdict, (String) test.get("name"));
        }
    }

    /** {@code accept}, or the code of the refusal. Any other exception fails the test. */
    private static String decide(Map<String, Object> corpus, Map<String, Object> test) {
        String preset = (String) test.get("profile");
        Verifier.Builder builder = Verifier.builder()
                .audience((String) members(members(corpus.get("profiles")).get(preset)).get("audience"))
                .keys(Utf8.text(Json.write(members(corpus.get("jwks")).get(test.get("jwks")))))
                .leeway(Duration.ofSeconds((Long) test.get("leeway")))
                .clock(Clock.fixed(Instant.ofEpochSecond((Long) test.get("now")), ZoneOffset.UTC));
        if (members(test.get("opts")) != null && members(test.get("opts")).get("email") instanceof String email) {
            builder.allowedEmails(email);
        }
        return verdict((preset.equals("iap") ? builder.iap() : builder.google()).build(), (String) test.get("token"));
    }

    private static String verdict(Verifier verifier, String token) {
        try {
            Claims claims = verifier.verify(token);
            assertEquals(claims.asMap().get("iss"), claims.issuer());
            return "accept";
        } catch (VerifyException refused) {
            return refused.code().name();
        }
    }
}
