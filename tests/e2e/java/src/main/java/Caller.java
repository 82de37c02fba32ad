import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.gatepass.Gatepass;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/**
 * Calls every receiver of its argument, a JSON array, a hundred times with the credentials that the environment gives,
 * and prints one line of JSON for each. Exits with 0 if all were fine.
 */
public final class Caller {
    private static final int CALLS = 100;

    private Caller() {}

    public static void main(String[] arguments) {
        boolean fine = true;
        for (JsonElement receiver : JsonParser.parseString(arguments[0]).getAsJsonArray()) {
            JsonObject report = new JsonObject();
            report.add("receiver", receiver.getAsJsonObject().get("name"));
            try {
                call(receiver.getAsJsonObject(), report);
            } catch (Exception failure) {
                report.addProperty("error", failure.toString());
                fine = false;
            }
            System.out.println(report);
        }
        System.exit(fine ? 0 : 1);
    }

    private static void call(JsonObject receiver, JsonObject report) throws IOException, InterruptedException {
        HttpClient client = Gatepass.idTokenClient(receiver.get("audience").getAsString());
        HttpRequest request = HttpRequest.newBuilder(URI.create(receiver.get("url").getAsString()))
                .timeout(Duration.ofSeconds(300)).build();
        long[] micros = new long[CALLS];
        String email = null;
        for (int call = 0; call < CALLS; call++) {
            long begin = System.nanoTime();
            HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
            micros[call] = (System.nanoTime() - begin) / 1000;
            if (response.statusCode() != 200) {
                throw new IOException("status " + response.statusCode() + ": " + response.body());
            }
            email = JsonParser.parseString(response.body()).getAsJsonObject().get("email").getAsString();
        }
        report.addProperty("status", 200);
        report.addProperty("email", email);
        report.addProperty("first_us", micros[0]);
        report.addProperty("hundredth_us", micros[CALLS - 1]);
        report.addProperty("calls", CALLS);
    }
}
