/** Calls of grpc-java that carry identity tokens, and servers that check them. */
package dev.gatepass.grpc;
