module gatepass.dev/gatepass

go 1.24.0

require (
	github.com/tetratelabs/wazero v1.11.0
	golang.org/x/oauth2 v0.30.0
)

require golang.org/x/sys v0.38.0 // indirect
