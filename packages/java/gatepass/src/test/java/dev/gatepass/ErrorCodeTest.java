package dev.gatepass;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatepass.json.Json;
import dev.gatepass.json.Utf8;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class ErrorCodeTest {
    @Test
    void theListIsTheCores() {
        List<?> ofTheCore = (List<?>) Json.read(Utf8.text(Native.errorCodes()));
        assertEquals(
                ofTheCore.stream().map(each -> Vectors.members(each).get("code")).toList(),
                Arrays.stream(ErrorCode.values()).map(ErrorCode::name).toList());
    }
}
