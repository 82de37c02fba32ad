package dev.gatepass.testing;

import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives tests of JUnit 5 an {@link Emulator}: one for all classes, {@linkplain Emulator#reset reset} before each test. A
 * parameter of that type is where it is found.
 */
@SuppressWarnings("exports") // Whoever uses it has JUnit.
public final class EmulatorExtension implements ParameterResolver, BeforeEachCallback {
    private static final Namespace NAMESPACE = Namespace.create(EmulatorExtension.class);

    /** Made by JUnit: {@code @ExtendWith(EmulatorExtension.class)}. */
    public EmulatorExtension() {}

    @Override
    public void beforeEach(ExtensionContext context) {
        emulator(context).reset();
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == Emulator.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return emulator(context);
    }

    private static Emulator emulator(ExtensionContext context) {
        return context.getRoot().getStore(NAMESPACE)
                .getOrComputeIfAbsent(Emulator.class, type -> Emulator.start(), Emulator.class);
    }
}
