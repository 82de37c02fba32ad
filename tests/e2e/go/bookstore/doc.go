// Package bookstore is the service of the end-to-end tests over gRPC, as protoc, protoc-gen-go and protoc-gen-go-grpc make
// it.
package bookstore

//go:generate protoc -I ../../grpc --go_out=. --go_opt=paths=source_relative --go-grpc_out=. --go-grpc_opt=paths=source_relative bookstore.proto
