"""The stubs of tests/e2e/grpc/bookstore.proto, made when they are imported."""

from __future__ import annotations

import sys
from pathlib import Path

import grpc

sys.path.append(str(Path(__file__).parents[1] / "grpc"))
messages, services = grpc.protos_and_services("bookstore.proto")
