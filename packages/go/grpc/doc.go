// Package gatepassgrpc is gatepass for gRPC: calls that carry tokens, and servers that check them.
//
// # Calling a service
//
//	tokens, err := gatepassgrpc.NewIDTokenCredentials()
//	connection, err := grpc.NewClient("orders-7f3kq2x4ca-uc.a.run.app:443",
//		grpc.WithTransportCredentials(credentials.NewTLS(nil)),
//		grpc.WithPerRPCCredentials(tokens))
//
// Make the connection once and keep it: each call gets a token that is fresh, retried calls included, and no call has a
// word about tokens. A stream keeps the token that it was opened with for as long as it lasts, as every header; a server
// looks at it when the stream opens, and no more. The audience is derived from the authority of the call, so that one
// [Credentials] serves connections to any number of services.
//
// # Being called
//
//	server := grpc.NewServer(
//		grpc.ChainUnaryInterceptor(gatepassgrpc.UnaryServerInterceptor(verifier)),
//		grpc.ChainStreamInterceptor(gatepassgrpc.StreamServerInterceptor(verifier)))
//
// A handler finds out who calls with [gatepass.ClaimsFromContext]. Put interceptors that trust the caller's identity
// behind these, and those that log, count or recover before them.
package gatepassgrpc
