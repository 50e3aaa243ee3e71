#!/usr/bin/env python3
# Wingmirror · Apache-2.0
"""Writes hostile captures to standard output: many connections that begin something expensive and never end it.

    python3 Tests/Robustness/generate.py http2-tables 100000 | wingmirror read --config small.yaml --output metrics -

With `--healthy N` every hundredth connection is an ordinary one with N exchanges, spread over the whole capture; all of those
must be read whole. peaks.py runs all kinds against a memory limit.
"""

import argparse
import hashlib
import os
import struct
import sys

START = 1_764_316_800_000_000
ETHERNET = bytes.fromhex("0200000000010200000000020800")
SYN, PUSH, ACK = 2, 8, 16
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
REQUEST = b"GET /products/1 HTTP/1.1\r\nHost: shop.example.com\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


class Capture:
    """A pcap file, written as it grows."""

    def __init__(self, output):
        self.output = output
        self.time = START
        self.waiting = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)]
        self.size = 0

    def packet(self, source, destination, ports, sequence, acknowledgement, flags, payload):
        total = 40 + len(payload)
        frame = (
            ETHERNET
            + struct.pack("!BBHHHBBH4s4s", 0x45, 0, min(total, 65535), 0, 0, 64, 6, 0, source, destination)
            + struct.pack("!HHIIBBHHH", *ports, sequence & 0xFFFFFFFF, acknowledgement & 0xFFFFFFFF, 80, flags, 65535, 0, 0)
            + payload
        )
        self.raw(frame)

    def raw(self, frame):
        self.time += 1
        header = struct.pack("<IIII", self.time // 1_000_000, self.time % 1_000_000, len(frame), len(frame))
        self.waiting += [header, frame]
        self.size += len(frame)
        if self.size > 1 << 20:
            self.flush()

    def flush(self):
        self.output.write(b"".join(self.waiting))
        self.waiting, self.size = [], 0


class Connection:
    """One TCP connection to the gateway."""

    SERVER = bytes([10, 0, 0, 1])

    def __init__(self, capture, number, port=80, handshake=True):
        self.capture = capture
        self.client = struct.pack("!I", (11 << 24) + number)
        self.port = port
        self.sent, self.received = 1000, 5000
        if handshake:
            self.to_server(b"", SYN)
            self.sent += 1
            self.to_client(b"", SYN | ACK)
            self.received += 1
            self.to_server(b"")

    def to_server(self, payload, flags=ACK | PUSH):
        self._send(payload, flags, True)

    def to_client(self, payload, flags=ACK | PUSH):
        self._send(payload, flags, False)

    def _send(self, payload, flags, from_client):
        for start in range(0, max(len(payload), 1), 60000):
            part = payload[start : start + 60000]
            if from_client:
                ends = (self.client, self.SERVER, (40000, self.port), self.sent, self.received)
                self.sent += len(part)
            else:
                ends = (self.SERVER, self.client, (self.port, 40000), self.received, self.sent)
                self.received += len(part)
            self.capture.packet(*ends, flags, part)


# --- HTTP/2


def frame(kind, flags, stream, payload):
    return struct.pack("!I", len(payload))[1:] + bytes([kind, flags]) + struct.pack("!I", stream) + payload


def string(text):
    if len(text) < 127:
        return bytes([len(text)]) + text
    rest, octets = len(text) - 127, [127]
    while rest >= 128:
        octets.append(rest % 128 + 128)
        rest //= 128
    return bytes(octets + [rest]) + text


def literal(name, value, indexed):
    return (b"\x40" if indexed else b"\x00") + string(name) + string(value)


GET = b"\x82\x86\x84" + literal(b":authority", b"shop.example.com", False)
SETTINGS = frame(4, 0, 0, b"")


def http2_idle(capture, number):
    connection = Connection(capture, number)
    connection.to_server(PREFACE + SETTINGS + frame(1, 5, 1, GET))
    connection.to_client(SETTINGS + frame(1, 5, 1, b"\x88"))


def http2_tables(capture, number):
    entries = b"".join(literal(b"x-%d" % n, b"y" * 150, True) for n in range(20))
    connection = Connection(capture, number)
    connection.to_server(PREFACE + SETTINGS + frame(1, 5, 1, GET + entries))
    connection.to_client(SETTINGS + frame(1, 5, 1, b"\x88" + entries))


def http2_large_tables(capture, number):
    connection = Connection(capture, number)
    connection.to_client(frame(4, 0, 0, struct.pack("!HI", 1, 65536)))
    block = b"\x3f\xe1\xff\x03" + GET + b"".join(literal(b"x-%d" % n, b"y" * 950, True) for n in range(60))
    connection.to_server(PREFACE + SETTINGS + frame(1, 1, 1, block[:16000]))
    for start in range(16000, len(block), 16000):
        connection.to_server(frame(9, 4 if start + 16000 >= len(block) else 0, 1, block[start : start + 16000]))


def http2_streams(capture, number):
    connection = Connection(capture, number)
    connection.to_server(PREFACE + SETTINGS + b"".join(frame(1, 5, 1 + 2 * n, GET) for n in range(1000)))


def http2_continuation(capture, number):
    part = frame(9, 0, 1, literal(b"x", b"y" * 280, False) * 50)
    connection = Connection(capture, number)
    connection.to_server(PREFACE + SETTINGS + frame(1, 1, 1, GET) + part * 4)


def http2_bomb(capture, number):
    """One entry of 3,900 octets, and 64,000 references to it."""
    connection = Connection(capture, number)
    connection.to_server(PREFACE + SETTINGS + frame(1, 5, 1, GET + literal(b"x", b"y" * 3900, True)))
    for stream in range(3, 11, 2):
        connection.to_server(frame(1, 5, stream, GET + b"\xbe" * 16000))


def http2_midstream(capture, number):
    connection = Connection(capture, number, handshake=False)
    connection.to_server(frame(1, 4, 5, GET) + b"\0" * 1000)
    connection.to_client(frame(1, 4, 5, b"\x88" + literal(b"x", b"y" * 900, True)))


# --- TLS


def hello(name, padding=0, protocols=(b"h2", b"http/1.1")):
    extensions = struct.pack("!HHHBH", 0, len(name) + 5, len(name) + 3, 0, len(name)) + name
    listed = b"".join(bytes([len(word)]) + word for word in protocols)
    extensions += struct.pack("!HHH", 16, len(listed) + 2, len(listed)) + listed
    if padding:
        extensions += struct.pack("!HH", 21, padding) + bytes(padding)
    body = b"\x03\x03" + bytes(32) + b"\0" + b"\0\x02\x13\x01" + b"\x01\0" + struct.pack("!H", len(extensions)) + extensions
    return b"\x01" + struct.pack("!I", len(body))[1:] + body


def records(message):
    return b"".join(
        b"\x16\x03\x01" + struct.pack("!H", len(message[at : at + 16000])) + message[at : at + 16000]
        for at in range(0, len(message), 16000)
    )


def tls_hello(capture, number):
    Connection(capture, number, 443).to_server(records(hello(b"host-%d.example.com" % number)))


def tls_long_names(capture, number):
    protocols = [bytes([97 + n % 26]) * 30 for n in range(1000)]
    connection = Connection(capture, number, 443)
    connection.to_server(records(hello(b"h" * 250, protocols=protocols)))
    connection.to_server(b"\x17\x03\x03\0\x10" + b"z" * 16)


def tls_unfinished_hello(capture, number):
    Connection(capture, number, 443).to_server(records(hello(b"h.example.com", 65000))[:60000])


def tls_unfinished_record(capture, number):
    connection = Connection(capture, number, 443)
    connection.to_server(records(hello(b"h.example.com")))
    connection.to_server(b"\x17\x03\x03\x40\0" + b"z" * 16000)


# --- Others


def websockets(capture, number):
    connection = Connection(capture, number)
    connection.to_server(
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key: a\r\n\r\n"
    )
    connection.to_client(b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n")
    connection.to_server(b"\x81\xfe\x40\0abcd" + b"z" * 100)


def proxy_headers(capture, number):
    Connection(capture, number).to_server(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x02\x10" + b"z" * 500)


def heads(capture, number):
    fields = b"".join(b"X-%04d: %s\r\n" % (n, b"y" * 1000) for n in range(59))
    Connection(capture, number).to_server(b"GET /x HTTP/1.1\r\nHost: a\r\n" + fields)


def pipelined(capture, number):
    Connection(capture, number).to_server(REQUEST * 100)


def _fields(count):
    return b"".join(b"X-%04d: %s\r\n" % (n, b"y" * 1000) for n in range(count))


def response_heads(capture, number):
    connection = Connection(capture, number)
    connection.to_server(REQUEST)
    connection.to_client(b"HTTP/1.1 200 OK\r\n" + _fields(59))


def trailers(capture, number):
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    Connection(capture, number).to_server(head + _fields(59))


def upgrades(capture, number):
    """What comes behind an upgrade that is neither accepted nor refused."""
    head = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"
    Connection(capture, number).to_server(head + b"z" * 59000)


def bodies(capture, number):
    head = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 60010\r\n\r\n"
    Connection(capture, number).to_server(head + b"z" * 59800)


def response_bodies(capture, number):
    connection = Connection(capture, number)
    connection.to_server(REQUEST)
    connection.to_client(b"HTTP/1.1 201 OK\r\nContent-Type: application/json\r\nContent-Length: 999999\r\n\r\n")
    connection.to_client(b"z" * 240_000)


def large_pipelined(capture, number):
    """Requests with long fields that are never answered."""
    Connection(capture, number).to_server(b"GET /x HTTP/1.1\r\nHost: a\r\n" + _fields(5) + b"\r\n" + REQUEST * 99)
    connection = Connection(capture, (1 << 22) + number)
    connection.to_server((b"GET /x HTTP/1.1\r\nHost: a\r\n" + _fields(5) + b"\r\n") * 100)


def interim(capture, number):
    connection = Connection(capture, number)
    connection.to_server(REQUEST)
    connection.to_client(b"HTTP/1.1 102 \r\n\r\n" * 10_000)


def gaps(capture, number):
    """Octets behind one that never comes, on both sides."""
    connection = Connection(capture, number)
    connection.sent += 1
    connection.received += 1
    for _ in range(2):
        connection.to_server(REQUEST * 28)
        connection.to_client(b"HTTP/1.1 201 OK\r\nContent-Length: 1000\r\n\r\n" + b"z" * 1000)


def loose_responses(capture, number):
    """Answers behind one that was lost, to requests that nobody knows for certain."""
    connection = Connection(capture, number)
    connection.to_server(REQUEST * 2)
    connection.received += 10
    connection.to_server(b"", ACK)
    connection.to_client(b"HTTP/1.1 204 No Content\r\n\r\n" * 95)


def second_syns(capture, number):
    """A SYN on each live connection, which may replace it."""
    connection = Connection(capture, number)
    connection.sent += 100_000
    connection.to_server(b"", SYN)


def idle(capture, number):
    connection = Connection(capture, number)
    connection.to_server(REQUEST)
    connection.to_client(b"HTTP/1.1 204 No Content\r\n\r\n")


def half_open(capture, number):
    connection = Connection(capture, number, handshake=False)
    connection.to_server(b"", SYN)
    connection.sent += 1
    connection.to_server(b"GET /x HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 60)


def one_sided(capture, number):
    """Answers whose requests nobody saw, joined in the middle."""
    Connection(capture, number, handshake=False).to_client(b"HTTP/1.1 201 OK\r\nContent-Length: 900\r\n\r\n" + b"z" * 100)


def fragments(capture, number):
    """The first fragment of a datagram whose others never come."""
    total = 1420
    capture.raw(
        ETHERNET
        + struct.pack("!BBHHHBBH", 0x45, 0, total, number & 0xFFFF, 0x2000, 64, 6, 0)
        + struct.pack("!I", (12 << 24) + number)
        + Connection.SERVER
        + b"f" * (total - 20)
    )


def http2_rapid_reset(capture, number):
    connection = Connection(capture, number)
    connection.to_server(PREFACE + SETTINGS)
    for start in range(0, 1000, 100):
        streams = range(1 + 2 * start, 201 + 2 * start, 2)
        connection.to_server(b"".join(frame(1, 5, n, GET) + frame(3, 0, n, b"\0\0\0\x08") for n in streams))


def http2_settings(capture, number):
    connection = Connection(capture, number)
    connection.to_server(PREFACE + frame(4, 0, 0, struct.pack("!HI", 1, 65536) * 1000) * 8)
    connection.to_client(frame(4, 0, 0, struct.pack("!HI", 1, 0xFFFFFFFF) * 1000) * 8)


def http2_pings(capture, number):
    connection = Connection(capture, number)
    connection.to_server(PREFACE + SETTINGS + frame(6, 0, 0, b"12345678") * 3000)
    connection.to_client(SETTINGS + frame(6, 1, 0, b"12345678") * 3000)


def http2_data(capture, number):
    """Contents that never end, on a hundred streams of each connection."""
    connection = Connection(capture, number)
    streams = range(1, 201, 2)
    fields = GET + literal(b"content-type", b"application/grpc", False)
    connection.to_server(PREFACE + SETTINGS + b"".join(frame(1, 4, n, fields) for n in streams))
    connection.to_server(b"".join(frame(0, 0, n, b"\0\0\x10\0\0" + b"z" * 400) for n in streams))


def http2_field_names(capture, number):
    """Blocks of 60 kB of fields with names of their own, which are indexed."""
    connection = Connection(capture, number)
    connection.to_server(PREFACE + SETTINGS)
    for stream in range(1, 9, 2):
        fields = b"".join(literal(b"n-%d-%d" % (stream, n), b"y" * 10, True) for n in range(700))
        connection.to_server(frame(1, 5, stream, GET + fields))


def http2_trailers(capture, number):
    connection = Connection(capture, number)
    connection.to_server(PREFACE + SETTINGS + frame(1, 4, 1, GET))
    connection.to_client(SETTINGS + frame(1, 4, 1, b"\x89"))
    connection.to_client(frame(1, 0, 1, b"".join(literal(b"t-%d" % n, b"y" * 150, False) for n in range(90))))


def http2_push(capture, number):
    connection = Connection(capture, number)
    connection.to_server(PREFACE + SETTINGS + frame(1, 5, 1, GET))
    connection.to_client(SETTINGS + b"".join(frame(5, 4, 1, struct.pack("!I", n) + GET) for n in range(2, 1000, 2)))


def http2_gaps(capture, number):
    """Frames behind octets that were lost, whose tables are not known."""
    connection = Connection(capture, number)
    connection.to_server(PREFACE + SETTINGS + frame(1, 5, 1, GET))
    connection.sent += 300
    connection.to_server(b"".join(frame(1, 5, n, b"\xbf\xc0\xc1" * 30) for n in range(3, 40, 2)))
    connection.to_client(b"")


def upgraded_http2(capture, number):
    connection = Connection(capture, number)
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
    connection.to_server(b"GET / HTTP/1.1\r\nHost: a\r\n" + upgrade)
    connection.to_client(b"HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + SETTINGS)
    entries = b"".join(literal(b"x-%d" % n, b"y" * 150, True) for n in range(20))
    connection.to_server(PREFACE + SETTINGS + frame(1, 5, 3, GET + entries))


def tls_records(capture, number):
    """Thousands of empty and tiny records."""
    connection = Connection(capture, number, 443)
    connection.to_server(records(hello(b"h.example.com")))
    connection.to_server(b"\x17\x03\x03\0\0" * 8000)
    connection.to_client(b"\x17\x03\x03\0\x01z" * 8000)


def tls_alerts(capture, number):
    connection = Connection(capture, number, 443)
    connection.to_server(records(hello(b"h.example.com")))
    connection.to_client(b"\x15\x03\x03\0\x02\x02\x28")


def websocket_frames(capture, number):
    """Fragments of a message that never ends, in frames of an octet."""
    connection = Connection(capture, number)
    connection.to_server(
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key: a\r\n\r\n"
    )
    connection.to_client(b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n")
    connection.to_server(b"\x01\x81abcdz" + b"\x00\x81abcdz" * 7000)


def websocket_deflate(capture, number):
    connection = Connection(capture, number)
    connection.to_server(
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key: a\r\n"
        b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    )
    connection.to_client(
        b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
        b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    )
    connection.to_client(b"\xc2\x7e\xff\x00" + b"z" * 59000)


def targets(capture, number):
    """Hosts, methods, paths and statuses that never come again."""
    connection = Connection(capture, number)
    connection.to_server(b"M%d /p%d?q=%d HTTP/1.1\r\nHost: h%d.example.com\r\n\r\n" % (number, number, number, number))
    connection.to_client(b"HTTP/1.1 %d OK\r\nContent-Length: 2\r\n\r\nhi" % (201 + number % 700))


def patterns(capture, number):
    """Paths that lead through as many states of regular expressions as there can be (the routes are peaks.py's)."""
    connection = Connection(capture, number)
    for request in range(20):
        place = number * 20 + request
        # Bits of a hash are the letters, so that no path comes twice.
        letters = bytes(120 + (bit >> at & 1) for bit in hashlib.sha256(b"%d" % place).digest() for at in range(8))
        path = b"/r%d/%s/a" % (place % 100, letters)
        connection.to_server(b"GET %s HTTP/1.1\r\nHost: patterns.example.com\r\n\r\n" % path)
        connection.to_client(b"HTTP/1.1 404 N\r\nContent-Length: 0\r\n\r\n")


KINDS = {
    function.__name__.replace("_", "-"): function
    for function in (
        http2_idle, http2_tables, http2_large_tables, http2_streams, http2_continuation, http2_bomb, http2_midstream,
        http2_rapid_reset, http2_settings, http2_pings, http2_data, http2_field_names, http2_trailers, http2_push,
        http2_gaps, upgraded_http2, tls_hello, tls_long_names, tls_unfinished_hello, tls_unfinished_record, tls_records,
        tls_alerts, websockets, websocket_frames, websocket_deflate, proxy_headers, heads, pipelined, response_heads,
        trailers, upgrades, bodies, response_bodies, large_pipelined, interim, gaps, loose_responses, second_syns,
        idle, half_open, one_sided, fragments, targets, patterns,
    )
}  # fmt: skip


def write(kind, count, healthy):
    capture = Capture(sys.stdout.buffer)
    ordinary = None
    for number in range(count):
        if healthy and number % 100 == 0:
            # The one before ends its exchanges among those that came since.
            for _ in range(healthy if ordinary else 0):
                ordinary.to_server(REQUEST)
                ordinary.to_client(RESPONSE)
            ordinary = Connection(capture, (1 << 23) + number)
        KINDS[kind](capture, number)
    capture.flush()
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=sorted(KINDS))
    parser.add_argument("count", type=int)
    parser.add_argument("--healthy", type=int, default=0, metavar="N")
    arguments = parser.parse_args()
    try:
        write(arguments.kind, arguments.count, arguments.healthy)
    except BrokenPipeError:
        os._exit(0)
