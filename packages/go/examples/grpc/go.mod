module gatepass.dev/gatepass/examples/grpc

go 1.25.0

require (
	gatepass.dev/gatepass v0.1.0
	gatepass.dev/gatepass/grpc v0.1.0
	google.golang.org/grpc v1.81.1
	google.golang.org/protobuf v1.36.11
)

require (
	github.com/tetratelabs/wazero v1.11.0 // indirect
	golang.org/x/net v0.51.0 // indirect
	golang.org/x/oauth2 v0.36.0 // indirect
	golang.org/x/sys v0.42.0 // indirect
	golang.org/x/text v0.34.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260226221140-a57be14db171 // indirect
)

replace (
	gatepass.dev/gatepass => ../..
	gatepass.dev/gatepass/grpc => ../../grpc
)
