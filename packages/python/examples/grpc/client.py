"""Asks for a book every PAUSE_SECONDS, for days: no word about tokens, and the channel is made once."""

import os
import time

from bookstore_pb2 import GetBookRequest
from bookstore_pb2_grpc import BookstoreStub

import gatepass.grpc

TARGET = os.environ.get("TARGET", "bookstore-7f3kq2x4ca-uc.a.run.app:443")
PAUSE_SECONDS = float(os.environ.get("PAUSE_SECONDS", "60"))

with gatepass.grpc.secure_channel(TARGET) as channel:
    store = BookstoreStub(channel)
    while True:
        book = store.GetBook(GetBookRequest(title="Emma"), timeout=10)
        print(book.title, "for", book.reader, flush=True)
        time.sleep(PAUSE_SECONDS)
