package dev.gatepass;

import static dev.gatepass.Vectors.list;
import static dev.gatepass.Vectors.members;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatepass.driver.Answer;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Every timeline of tests/vectors/cache: who fetches, who waits, what is served. */
class CacheVectorsTest {
    private static final Map<Answer.Status, String> STATUSES = Map.of(
            Answer.Status.READY, "fresh",
            Answer.Status.STALE, "stale",
            Answer.Status.DRIVE, "fetch",
            Answer.Status.JOIN, "join");

    @Test
    void timelines() throws IOException {
        for (Map<String, Object> test : Vectors.cases("cache")) {
            TokenSource source = Vectors.source(members(test.get("options")));
            Map<String, Op> ops = new HashMap<>();
            for (Object each : list(test, "events")) {
                play(source, ops, members(each), test.get("name") + ": " + each);
            }
            ops.values().forEach(Op::cancel);
        }
    }

    private static void play(TokenSource source, Map<String, Op> ops, Map<String, Object> event, String about) {
        String op = (String) event.get("op");
        Map<String, Object> expected = members(event.get("expect"));
        switch ((String) event.get("do")) {
            case "lookup" -> {
                Answer<Token> answer = source.lookup(
                        (String) event.get("kind"), (String) event.get("target"), (Long) event.get("at_ms"),
                        Vectors.monotonicMs(event, "at_ms"));
                assertEquals(expected.get("status"), STATUSES.get(answer.status()), about);
                if (expected.containsKey("header")) {
                    assertEquals(expected.get("header"), answer.value().header(), about);
                }
                if (expected.containsKey("refresh")) {
                    assertEquals(expected.get("refresh"), answer.op() != null, about);
                }
                if (expected.containsKey("flight_of")) {
                    assertEquals(ops.get((String) expected.get("flight_of")).flight(), answer.flight(), about);
                }
                assertEquals(op != null, answer.op() != null, about);
                if (op != null) {
                    ops.put(op, (Op) answer.op());
                }
            }
            case "resume" -> Vectors.assertStep(about, expected,
                    ops.get(op).resume((Long) event.get("at_ms"), Vectors.monotonicMs(event, "at_ms"),
                            members(event.get("reply"))));
            case "cancel" -> ops.remove(op).cancel();
            default -> throw new AssertionError(about);
        }
    }
}
