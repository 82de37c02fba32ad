package dev.gatepass;

import dev.gatepass.json.Json;
import java.net.URI;
import java.util.List;
import java.util.Map;

/**
 * How a request carries its token, as the core has planned it.
 *
 * @param audience of an ID token; null for an access token
 * @param headers the names of the headers that carry it
 */
record Call(String audience, List<String> headers) {
    /**
     * Plans a request.
     *
     * @param options with {@code kind}, {@code audience}, {@code token_header} and {@code allow_plain_http}
     * @throws GatepassException with {@link ErrorCode#INVALID_AUDIENCE} if none can be derived from the URL, or if the
     *     token would travel in clear
     */
    static Call plan(URI url, Map<String, Object> options) {
        Native.require();
        Map<String, Object> call = Json.members();
        call.putAll(options);
        call.put("url", url.toString());
        Map<String, Object> plan = Json.readMembers(Native.planCall(Json.write(call)));
        return new Call((String) plan.get("audience"), Json.texts(plan.get("headers")));
    }
}
