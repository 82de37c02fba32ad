package dev.gatepass;

import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.gatepass.json.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What must not be shown, and what an exception shows. */
final class Secrets {
    /** The shortest text that is looked for; shorter ones stand in any message by chance. */
    private static final int SHORTEST = 16;
    /** Variables that hold secrets. Others hold paths and addresses, which an error may well name. */
    private static final Pattern VARIABLE = Pattern.compile("(SECRET|TOKEN)(?!.*_FILE$)");
    /** Members of files and bodies that an error may well name. */
    private static final Set<String> OPEN = Set.of(
            "Code", "Message", "audience", "auth_uri", "client_email", "client_id", "error", "error_description", "gatepass_emulator",
            "imdsv2_session_token_url", "issued_token_type", "message", "project_id", "region_url",
            "regional_cred_verification_url", "scope", "service_account_impersonation_url", "status",
            "subject_token_type", "token_info_url", "token_type", "token_uri", "token_url", "type", "universe_domain",
            "url");

    /** What stands in every access token of the emulator, and in other places. */
    private static final String MARK = "gatepass-emulator";

    private Secrets() {}

    /** A token within words. */
    private static final Pattern TOKEN = Pattern.compile("(?:eyJ|ya29\\.)[\\w.-]+");

    /** The secrets in a reply to the core; of a refusal in plain words, which are shown, the tokens that it repeats. */
    static Stream<String> ofReply(Map<String, Object> reply) {
        Stream<String> variables = !(reply.get("values") instanceof Map<?, ?> values) ? Stream.of()
                : values.entrySet().stream().filter(each -> VARIABLE.matcher((String) each.getKey()).find())
                        .map(each -> (String) each.getValue());
        Stream<String> texts = Stream.of("text", "stdout").map(reply::get)
                .filter(String.class::isInstance).map(String.class::cast);
        return Stream.of(variables, texts, received(reply)).flatMap(each -> each).flatMap(Secrets::in);
    }

    private static Stream<String> received(Map<String, Object> reply) {
        if (!(reply.get("body") instanceof String body)) {
            return Stream.of();
        }
        boolean isRefused = reply.get("status") instanceof Long status && status >= 400;
        boolean isInWords = isRefused && parsed(body) instanceof String;
        return isInWords ? TOKEN.matcher(body).results().map(MatchResult::group) : Stream.of(body);
    }

    /** The secrets in a file or a body: of a key each line, of a token each part. */
    static Stream<String> in(String text) {
        return leaves(parsed(text))
                .flatMap(secret -> Stream.of(secret.split("[.\\s]+")))
                .filter(secret -> secret.length() >= SHORTEST && !secret.startsWith("-----") && !secret.equals(MARK));
    }

    static void assertNotShown(List<String> secrets, String shown) {
        for (String line : shown.split("\n")) {
            for (String secret : secrets) {
                assertFalse(line.contains(secret), () -> secret + " stands in " + line);
            }
        }
    }

    /** All that an exception shows with those that it brings along, and whatever it holds without showing it. */
    static String shownBy(Throwable failure) {
        StringWriter trace = new StringWriter();
        failure.printStackTrace(new PrintWriter(trace));
        ByteArrayOutputStream held = new ByteArrayOutputStream();
        try (ObjectOutputStream objects = new ObjectOutputStream(held)) {
            objects.writeObject(failure);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        return trace + held.toString(StandardCharsets.UTF_8);
    }

    private static Stream<String> leaves(Object value) {
        if (value instanceof String text) {
            return Stream.of(text);
        }
        if (value instanceof List<?> elements) {
            return elements.stream().flatMap(Secrets::leaves);
        }
        if (value instanceof Map<?, ?> members) {
            return members.entrySet().stream()
                    .filter(member -> !(member.getValue() instanceof String && OPEN.contains(member.getKey())))
                    .flatMap(member -> leaves(member.getValue()));
        }
        return Stream.of();
    }

    private static Object parsed(String text) {
        try {
            return Json.read(text) instanceof Map<?, ?> object ? object : text;
        } catch (UncheckedIOException | IllegalStateException noJson) {
            return text;
        }
    }
}
