package dev.gatepass.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gatepass.TokenHeader;
import dev.gatepass.Verifier;
import dev.gatepass.grpc.Orders.Kind;
import dev.gatepass.testing.Emulator;
import dev.gatepass.testing.EmulatorExtension;
import io.grpc.CallCredentials;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.BufferedReader;
import java.io.IOException;
import java.util.Collections;
import java.util.Map;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Behind Cloud Run's front end, HTTP/2 without TLS brings the token without its signature, or twice. */
@ExtendWith(EmulatorExtension.class)
class CloudRunTest {
    private static final String ACCOUNT = "default@emulator.iam.gserviceaccount.com";

    @ParameterizedTest
    @EnumSource(names = {"AUTHORIZATION", "BOTH"})
    void callsPassTheFrontEnd(TokenHeader header, Emulator emulator) throws Exception {
        Verifier.Builder verifier = emulator.verifier().audience(Orders.AUDIENCE).allowedEmails(ACCOUNT)
                .environment(Map.of("K_SERVICE", "orders")::get);
        if (header == TokenHeader.AUTHORIZATION) {
            verifier.trustCloudRunAndSkipSignature();
        }
        CallCredentials credentials = IdTokenCallCredentials.builder().source(emulator.tokenSource().build())
                .tokenHeader(header).allowPlaintextLoopback().build();
        try (Orders orders = new Orders(verifier.build());
                FrontEnd front = new FrontEnd(emulator, orders.plaintextAddress())) {
            for (Kind kind : Kind.values()) {
                assertEquals(Collections.nCopies(kind.answers(), ACCOUNT),
                        kind.call(orders.plaintextChannel(front.address, credentials)));
            }
            // It refuses by itself who has no token; gRPC makes a status of that of HTTP.
            assertEquals(Status.Code.PERMISSION_DENIED, assertThrows(StatusRuntimeException.class,
                    () -> Kind.UNARY.call(orders.plaintextChannel(front.address, null))).getStatus().getCode());
        }
    }

    /** {@code gatepass emulator run}. */
    private static final class FrontEnd implements AutoCloseable {
        private static final String LISTENING = "# listening on http://";

        private final Process process;
        private final String address;

        FrontEnd(Emulator emulator, String service) throws IOException {
            process = new ProcessBuilder(System.getenv(Emulator.PROGRAM_VARIABLE), "emulator", "run",
                    "--service", "orders", "--to", "http://" + service, "--invoker", ACCOUNT,
                    "--audience", Orders.AUDIENCE, "--emulator", emulator.url().toString(), "--exit-with-stdin")
                    .redirectError(ProcessBuilder.Redirect.DISCARD).start();
            BufferedReader lines = process.inputReader();
            String line = lines.readLine();
            while (!line.startsWith(LISTENING)) {
                line = lines.readLine();
            }
            address = line.substring(LISTENING.length());
        }

        @Override
        public void close() throws IOException, InterruptedException {
            process.getOutputStream().close();
            assertEquals(0, process.waitFor());
        }
    }
}
