/**
 * Google's endpoints on this machine, for tests of programs that use gatepass. Needs the {@code gatepass} program.
 *
 * <pre>{@code
 * @ExtendWith(EmulatorExtension.class)
 * class OrdersTest {
 *     @Test
 *     void callersAreKnown(Emulator emulator) {
 *         TokenSource source = emulator.tokenSource().build();
 *         Verifier verifier = emulator.verifier().audience("https://orders.example").build();
 *         verifier.verify(source.fetchIdToken("https://orders.example"));
 *     }
 * }
 * }</pre>
 */
package dev.gatepass.testing;
