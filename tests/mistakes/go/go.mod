module gatepass.dev/gatepass/mistakes

go 1.24.0

require gatepass.dev/gatepass v0.0.0

require (
	github.com/tetratelabs/wazero v1.11.0 // indirect
	golang.org/x/oauth2 v0.30.0 // indirect
	golang.org/x/sys v0.38.0 // indirect
)

replace gatepass.dev/gatepass => ../../../packages/go
