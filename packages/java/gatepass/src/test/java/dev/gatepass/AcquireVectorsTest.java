package dev.gatepass;

import static dev.gatepass.Vectors.list;
import static dev.gatepass.Vectors.members;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatepass.driver.Answer;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Every transcript of tests/vectors/acquire: each step is exactly the expected one. */
class AcquireVectorsTest {
    @Test
    void transcripts() throws IOException {
        for (Map<String, Object> test : Vectors.cases("acquire")) {
            String name = (String) test.get("name");
            TokenSource source = Vectors.source(members(test.get("options")));
            Op op = null;
            for (Object each : list(test, "transcript")) {
                Map<String, Object> turn = members(each);
                long now = (Long) turn.get("now_ms");
                if (op == null) {
                    Answer<Token> answer = source.lookup((String) test.get("kind"), (String) test.get("target"), now,
                            Vectors.monotonicMs(turn, "now_ms"));
                    assertEquals(Answer.Status.DRIVE, answer.status(), name);
                    op = (Op) answer.op();
                }
                Vectors.assertStep(name, members(turn.get("step")), 
                        op.resume(now, Vectors.monotonicMs(turn, "now_ms"), members(turn.get("reply"))));
            }
            op.cancel();
        }
    }
}
