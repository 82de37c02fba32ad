import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.gatepass.Gatepass;
import dev.gatepass.GatepassException;
import dev.gatepass.Verifier;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Map;
import java.util.concurrent.Callable;

/**
 * Makes each of the named mistakes and prints what it gets for it, a line of JSON for each. Mistakes that the compiler
 * finds are in the folder uncompiled.
 *
 * <p>Its argument: {"mistakes": [name, …], "audience": …, "tokens": {name: …}, "url": (of the emulator)}.
 */
public final class Mistakes {
    private final String audience;
    private final JsonObject tokens;
    private final String url;

    private final Map<String, Callable<Object>> all = Map.ofEntries(
            Map.entry("no_credentials", this::fetch),
            Map.entry("wrong_path", this::fetch),
            Map.entry("wrong_audience", () -> verify(token("other_audience"))),
            Map.entry("missing_scheme", () -> Gatepass.audienceForUrl(URI.create("orders.example/items"))),
            Map.entry("trailing_slash", () -> verify(token("trailing_slash"))),
            Map.entry("access_token", () ->
                    verify(Gatepass.fetchAccessToken("https://www.googleapis.com/auth/cloud-platform"))),
            Map.entry("plain_http", this::callByPlainHttp),
            Map.entry("emulator_down", this::fetch),
            Map.entry("clock_behind", () -> verify(token("issued_in_two_hours"))),
            Map.entry("no_audience", () -> Verifier.builder().build()),
            Map.entry("keys_url_404", this::verifyWithoutKeys),
            Map.entry("bearer", () -> verify("Bearer " + token("good"))),
            Map.entry("newline", () -> verify(token("good") + "\n")),
            Map.entry("empty", () -> verify("")),
            Map.entry("null", () -> verify(null)),
            Map.entry("wrong_preset", this::verifyAsIap));

    private Mistakes(JsonObject asked) {
        audience = asked.get("audience").getAsString();
        tokens = asked.getAsJsonObject("tokens");
        url = asked.get("url").getAsString();
    }

    public static void main(String[] arguments) {
        JsonObject asked = JsonParser.parseString(arguments[0]).getAsJsonObject();
        Mistakes mistakes = new Mistakes(asked);
        for (JsonElement name : asked.getAsJsonArray("mistakes")) {
            JsonObject answer = answer(mistakes.all.get(name.getAsString()));
            answer.add("mistake", name);
            System.out.println(answer);
        }
    }

    private static JsonObject answer(Callable<Object> mistake) {
        JsonObject answer = new JsonObject();
        try {
            answer.addProperty("message", String.valueOf(mistake.call()));
            answer.addProperty("type", "no error");
        } catch (Exception error) {
            answer.addProperty("message", error.getMessage());
            answer.addProperty("type", error.getClass().getSimpleName());
            if (error instanceof GatepassException ours) {
                answer.addProperty("code", ours.code().name());
            }
        }
        return answer;
    }

    private String fetch() {
        return Gatepass.fetchIdToken(audience);
    }

    private Object verify(String token) {
        return Verifier.google(audience).verify(token);
    }

    private Object callByPlainHttp() throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://orders.example/items")).build();
        return Gatepass.idTokenClient(audience).send(request, BodyHandlers.ofString());
    }

    private Object verifyWithoutKeys() {
        Verifier.Builder verifier = Verifier.builder().google().audience(audience);
        return verifier.keysUrl(URI.create(url + "/no/such/keys")).build().verify(token("good"));
    }

    private Object verifyAsIap() {
        return Verifier.iap(audience).verify(token("good"));
    }

    private String token(String name) {
        return tokens.get(name).getAsString();
    }
}
