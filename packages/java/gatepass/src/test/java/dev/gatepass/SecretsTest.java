package dev.gatepass;

import static dev.gatepass.Vectors.list;
import static dev.gatepass.Vectors.members;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatepass.json.Json;
import dev.gatepass.json.Utf8;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** However an exception is printed, it shows none of the secrets that went over the border. */
class SecretsTest {
    @TestFactory
    Stream<DynamicTest> failingTranscripts() throws IOException {
        return Vectors.cases("acquire").stream().filter(SecretsTest::fails).map(
                test -> DynamicTest.dynamicTest((String) test.get("name"), () -> assertNothingIsShown(test)));
    }

    @Test
    void whatIsLookedFor() {
        Map<String, Object> key = Map.of(
                "private_key", "-----BEGIN KEY-----\nfirstLineOfTheKey\n", "token_uri", "https://oauth2.example/token");
        assertEquals(List.of("firstLineOfTheKey"),
                Secrets.ofReply(Map.of("text", Utf8.text(Json.write(key)))).toList());
        Map<String, Object> variables =
                Map.of("HOME", "/home/of/somebody", "AWS_SECRET_ACCESS_KEY", "accessKeyOfSomebody");
        assertEquals(List.of("accessKeyOfSomebody"), Secrets.ofReply(Map.of("values", variables)).toList());
        assertEquals(List.of("headerOfTheToken", "payloadOfTheToken"),
                Secrets.ofReply(Map.of("stdout", "headerOfTheToken.payloadOfTheToken.a\n")).toList());
        assertEquals(List.of("elementOfTheList"),
                Secrets.ofReply(Map.of("body", "{\"keys\":[\"elementOfTheList\"]}")).toList());
    }

    private static boolean fails(Map<String, Object> test) {
        List<?> transcript = list(test, "transcript");
        return "fail".equals(members(members(transcript.get(transcript.size() - 1)).get("step")).get("step"));
    }

    private static void assertNothingIsShown(Map<String, Object> test) {
        List<Map<String, Object>> turns = list(test, "transcript").stream().map(Vectors::members).toList();
        Map<String, Object> options = members(test.get("options"));
        Map<String, Object> first = turns.get(0);
        Op op = (Op) Vectors.source(options).lookup((String) test.get("kind"), (String) test.get("target"),
                (Long) first.get("now_ms"), Vectors.monotonicMs(first, "now_ms")).op();
        Map<String, Object> step = null;
        for (Map<String, Object> turn : turns) {
            step = op.resume((Long) turn.get("now_ms"), Vectors.monotonicMs(turn, "now_ms"),
                    members(turn.get("reply")));
        }
        op.cancel();
        Stream<String> given = Secrets.in((String) options.getOrDefault("credentials_json", ""));
        Stream<String> replied = turns.stream().flatMap(turn -> Secrets.ofReply(members(turn.get("reply"))));
        Secrets.assertNotShown(Stream.concat(given, replied).toList(),
                Secrets.shownBy(Failures.of(members(step.get("error")))));
    }
}
