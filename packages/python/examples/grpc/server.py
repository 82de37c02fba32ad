"""Lends books to whoever is known. On Cloud Run the front end ends TLS, so the server itself has none."""

import os
from concurrent.futures import ThreadPoolExecutor

import grpc
from bookstore_pb2 import Book
from bookstore_pb2_grpc import BookstoreServicer, add_BookstoreServicer_to_server

import gatepass.grpc

AUDIENCE = os.environ.get("AUDIENCE", "https://bookstore-7f3kq2x4ca-uc.a.run.app")


class Bookstore(BookstoreServicer):
    def GetBook(self, request, context):
        return Book(title=request.title, reader=gatepass.grpc.claims()["email"])


check = gatepass.grpc.RequireIdToken(gatepass.Verifier(AUDIENCE))
server = grpc.server(ThreadPoolExecutor(), interceptors=[check])
add_BookstoreServicer_to_server(Bookstore(), server)
port = server.add_insecure_port(f"[::]:{os.environ.get('PORT', '8080')}")
server.start()
print("listening on port", port, flush=True)
server.wait_for_termination()
