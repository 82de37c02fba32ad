/** Calls of grpc-java that carry identity tokens, and servers that check them. */
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"}) // grpc-java has names, and no descriptors.
module dev.gatepass.grpc {
    requires transitive dev.gatepass;
    requires transitive io.grpc;

    exports dev.gatepass.grpc;
}
