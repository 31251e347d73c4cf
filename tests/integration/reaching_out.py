"""A step as it must not be: it asks a network for something. See test_steps.py."""

from __future__ import annotations

import socket

if __name__ == "__main__":
    print("devices:", *(name for _, name in socket.if_nameindex()), flush=True)
    print("$ download something", flush=True)
    socket.create_connection(("192.0.2.1", 80), timeout=5)
