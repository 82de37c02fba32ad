package dev.gatepass;

import dev.gatepass.json.Json;
import dev.gatepass.json.Utf8;
import java.util.Map;

/**
 * The line that a service writes to its log about a request that it has refused. It holds no token.
 *
 * @param level how grave it is
 * @param message code, path, and the e-mail that the token claims, which nothing proves
 */
public record RefusalLog(System.Logger.Level level, String message) {
    /**
     * The line for a request.
     *
     * @param failure why it was refused
     * @param path what was asked for; a query is left out
     * @return the same in every language
     */
    public static RefusalLog of(GatepassException failure, String path) {
        Map<String, Object> error = Json.members();
        error.put("code", failure.code().name());
        error.put("message", failure.getMessage());
        error.put("claimed_email", failure.claimedEmail());
        Map<String, Object> line = Json.readMembers(Native.refusalLog(Json.write(error), Utf8.bytes(path)));
        return new RefusalLog(
                line.get("level").equals("error") ? System.Logger.Level.ERROR : System.Logger.Level.WARNING,
                (String) line.get("message"));
    }
}
