package dev.gatepass.interop;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A real OpenID Connect issuer in a process of its own, the npm package oidc-provider: tests/interop/node has it. */
final class OidcProvider implements AutoCloseable {
    private static final Path FOLDER = Path.of("..", "node");

    private final Process process;
    private final BufferedWriter commands;
    private final BufferedReader answers;
    private final String issuer;

    OidcProvider() {
        if (!Files.isDirectory(FOLDER.resolve("node_modules/oidc-provider"))) {
            throw new AssertionError("oidc-provider is not installed: run `npm ci` in tests/interop/node");
        }
        try {
            process = new ProcessBuilder("node", FOLDER.resolve("oidc-provider.mjs").toString())
                    .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        } catch (IOException noNode) {
            throw new UncheckedIOException(noNode);
        }
        commands = process.outputWriter();
        answers = process.inputReader();
        issuer = answer().get("issuer").getAsString();
    }

    String issuer() {
        return issuer;
    }

    /** An ID token, as its endpoints give it. */
    String token(String audience, String algorithm) {
        JsonObject order = new JsonObject();
        order.addProperty("audience", audience);
        order.addProperty("alg", algorithm);
        return ask("token " + order).get("token").getAsString();
    }

    /** Replaces its keys. */
    void rotate() {
        if (!ask("rotate").get("rotated").getAsBoolean()) {
            throw new AssertionError("the issuer keeps its keys");
        }
    }

    /** It ends with its standard input. */
    @Override
    public void close() {
        try {
            commands.close();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private JsonObject ask(String command) {
        try {
            commands.write(command + "\n");
            commands.flush();
        } catch (IOException ended) {
            throw new UncheckedIOException(ended);
        }
        return answer();
    }

    private JsonObject answer() {
        String line;
        try {
            line = answers.readLine();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        if (line == null) {
            throw new AssertionError("the issuer has ended");
        }
        JsonObject answer = JsonParser.parseString(line).getAsJsonObject();
        if (answer.has("error")) {
            throw new AssertionError("the issuer says: " + answer.get("error"));
        }
        return answer;
    }
}
