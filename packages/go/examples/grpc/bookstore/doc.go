// Package bookstore is the service of this example.
package bookstore

//go:generate protoc --go_out=. --go_opt=paths=source_relative --go-grpc_out=. --go-grpc_opt=paths=source_relative bookstore.proto
