"""Tests reach no network, and still have a loopback of their own to start servers on."""

import socket
from pathlib import Path


def test_loopback_is_the_only_interface() -> None:
    interfaces = [
        line.partition(":")[0].strip()
        for line in Path("/proc/net/dev").read_text().splitlines()
        if ":" in line
    ]

    assert interfaces == ["lo"]


def test_a_server_on_loopback_can_be_reached() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
        server.accept()[0] as connection,
    ):
        connection.sendall(b"hello")
        assert client.recv(5) == b"hello"
