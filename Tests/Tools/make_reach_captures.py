#!/usr/bin/env python3
# Wingmirror · Apache-2.0
"""Writes the captures of Tests/AgentTests/Fixtures/reach: small conversations, each of which leads to label values that others do not.

usage: make_reach_captures.py FOLDER

Nothing here was recorded; the same files come out every time. `LabelReachTests` says which values each of them reaches.
"""
import pathlib
import struct
import sys

CLIENT, GATEWAY = "198.51.100.7", "10.244.1.10"
SYN, FIN, RST, PSH, ACK = 2, 1, 4, 8, 16


def address(text):
    return bytes(map(int, text.split(".")))


def checksum(octets):
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip(payload, source, target, protocol=6, number=0, fragment=0):
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), number, fragment, 64, protocol, 0, address(source), address(target))
    return header[:10] + struct.pack(">H", checksum(header)) + header[12:] + payload


def tcp(source, target, sequence, acknowledged, flags, payload=b"", window=65535, spoiled=False):
    (from_address, from_port), (to_address, to_port) = source, target
    header = struct.pack(">HHIIBBHHH", from_port, to_port, sequence % 2**32, acknowledged % 2**32, 0x50, flags, window, 0, 0)
    pseudo = address(from_address) + address(to_address) + struct.pack(">BBH", 0, 6, len(header) + len(payload))
    value = checksum(pseudo + header + payload) ^ (0x5555 if spoiled else 0)
    return header[:16] + struct.pack(">H", value) + header[18:] + payload


def ethernet(packet, kind=0x0800):
    return bytes.fromhex("02000000000202000000000a") + struct.pack(">H", kind) + packet


class Capture:
    """Frames with their times, and the clock."""

    def __init__(self, link_type=1):
        self.frames, self.now, self.link_type = [], 1_795_400_000.0, link_type

    def frame(self, octets, length=None):
        self.frames.append((self.now, octets, length or len(octets)))
        self.now += 0.001

    def wait(self, seconds):
        self.now += seconds

    def write(self, path, snapshot=262144):
        out = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, snapshot, self.link_type)
        for time, octets, length in self.frames:
            kept = octets[:snapshot]
            out += struct.pack("<IIII", int(time), round(time % 1 * 1e6) * 1000 % 10**9, len(kept), length) + kept
        path.write_bytes(out)


class Talk:
    """One connection to the gateway."""

    port = 40000

    def __init__(self, capture, server_port=8080, handshake=True, client=CLIENT, port=None, start=1000):
        Talk.port += 1
        self.capture = capture
        self.ends = {"c": (client, port or Talk.port), "s": (GATEWAY, server_port)}
        self.next = {"c": start, "s": 5_000_000}
        if handshake:
            self.send("c", flags=SYN, acknowledge=False)
            self.next["c"] += 1
            self.send("s", flags=SYN | ACK)
            self.next["s"] += 1
            self.send("c")

    def send(self, side, payload=b"", flags=ACK, acknowledge=True, lost=False, ahead=0, advance=True, spoiled=False, acknowledged=None):
        other = "s" if side == "c" else "c"
        if isinstance(payload, str):
            payload = payload.encode()
        if acknowledged is None:
            acknowledged = self.next[other] if acknowledge else 0
        segment = tcp(self.ends[side], self.ends[other], self.next[side] + ahead, acknowledged, flags, payload, spoiled=spoiled)
        if not lost:
            self.capture.frame(ethernet(ip(segment, self.ends[side][0], self.ends[other][0])))
        if advance:
            self.next[side] += len(payload)

    def client(self, payload, **more):
        self.send("c", payload, PSH | ACK, **more)

    def server(self, payload, **more):
        self.send("s", payload, PSH | ACK, **more)

    def get(self, target="/shop/1", method="GET", fields="", version="HTTP/1.1", host="shop.example.com"):
        self.client(f"{method} {target} {version}\r\nHost: {host}\r\n{fields}\r\n")

    def answer(self, status=200, fields="", body="{}", length=None):
        length = len(body) if length is None else length
        self.server(f"HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{fields}\r\n{body}")

    def exchange(self, status=200, **more):
        self.get(**more)
        self.answer(status)

    def hello(self, suite, extensions, answers=True):
        """The first messages of a TLS handshake (RFC 8446 §4.1)."""
        hello = bytes.fromhex("0303") + bytes(32) + b"\0" + b"\0\2" + suite + b"\1\0" + b"\0\0"
        self.client(b"\x16\x03\x01" + struct.pack(">H", len(hello) + 4) + b"\1" + struct.pack(">I", len(hello))[1:] + hello)
        if answers:
            answer = bytes.fromhex("0303") + bytes(range(32)) + b"\0" + suite + b"\0" + struct.pack(">H", len(extensions)) + extensions
            self.server(b"\x16\x03\x03" + struct.pack(">H", len(answer) + 4) + b"\2" + struct.pack(">I", len(answer))[1:] + answer)

    def finish(self, side="c"):
        other = "s" if side == "c" else "c"
        self.send(side, flags=FIN | ACK)
        self.next[side] += 1
        self.send(other, flags=FIN | ACK)
        self.next[other] += 1
        self.send(side)

    def reset(self, side="c"):
        self.send(side, flags=RST | ACK)


# -- HTTP/2 -------------------------------------------------------------------------------------------------------


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(*fields):
    """A field block of literals without indexing (RFC 7541 §6.2.2)."""
    out = b""
    for name, value in fields:
        out += b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
    return out


def head(stream, *fields, ends=False):
    return frame(1, 4 | (1 if ends else 0), stream, literal(*fields))


def h2_request(stream, path="/shop/1", method="GET", more=(), ends=True):
    pseudo = [(":method", method), (":scheme", "http"), (":authority", "shop.example.com"), (":path", path)]
    return head(stream, *pseudo, *more, ends=ends)


# -- the captures -------------------------------------------------------------------------------------------------


def methods(c):
    t = Talk(c)
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "QUERY", "BREW"):
        # Envoy refuses a QUERY without a content type.
        kind = "Content-Type: text/plain\r\n" if method == "QUERY" else ""
        t.get(method=method, fields=kind + "Content-Length: 0\r\n" if method in ("POST", "PUT", "PATCH", "QUERY") else "")
        t.answer(200, body="" if method == "HEAD" else "{}", length=2)
    t.finish()
    t = Talk(c)
    t.client("CONNECT shop.example.com:443 HTTP/1.1\r\nHost: shop.example.com:443\r\n\r\n")
    t.answer(200, body="", length=0)
    t.server(b"\1\2\3tunnel")
    t.finish()


def statuses(c):
    t = Talk(c)
    for status in (200, 304, 404):
        t.get()
        t.answer(status, body="" if status == 304 else "{}")
    t.get()
    t.answer(503)
    t.finish()
    t = Talk(c)
    t.get()
    t.answer(200, fields="x-envoy-upstream-service-time: 3\r\n")
    t.get()
    t.answer(500, fields="x-envoy-upstream-service-time: 3\r\n")
    t.get()
    t.answer(503)
    t.finish()
    t = Talk(c)
    t.get(fields="Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n")
    t.server("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    t.server(b"\x81\x02hi")
    t.finish()
    t = Talk(c)
    t.get(fields="Connection: Upgrade\r\nUpgrade: other\r\n")
    t.server("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n")
    t.server(b"\1\2\3other")
    t.finish()


def broken_off(c):
    t = Talk(c)  # left by the client
    t.get()
    c.wait(2)
    t.finish("c")
    t = Talk(c)  # closed by the server's side before it answers
    t.get()
    c.wait(2)
    t.reset("s")
    t = Talk(c)  # cut in the middle
    t.get()
    t.answer(200, body="part", length=1000)
    t.reset("s")
    t = Talk(c)  # never taken: pipelined behind an answer that closes
    t.get()
    t.get()
    t.answer(200, fields="Connection: close\r\n")
    t.finish("s")
    t = Talk(c)  # an event stream that its client ends
    t.get()
    t.server("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na\n\n\r\n")
    c.wait(3)
    t.finish("c")


def unmatched(c):
    t = Talk(c)
    t.exchange(404, target="/nowhere")  # no_match
    t.exchange(404, host="other.example.org")  # no_host
    t.get(target="/shop/a%00b")
    t.answer(400)  # rejected
    t.finish()
    t = Talk(c, server_port=8081)
    t.exchange(301)  # https_redirect
    t.finish()
    t = Talk(c, server_port=9999)
    t.exchange(200)  # no_listener
    t.finish()
    t = Talk(c)
    t.exchange(200, host="conditional.example.com")  # hangs on a field that the gateway sets
    t.finish()


def lossy(c):
    t = Talk(c)  # a hole in an answer
    t.get()
    t.server("HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n" + "a" * 500)
    t.server("b" * 1000, lost=True)
    t.server("c" * 1500)
    t.send("c")
    c.wait(1)
    t.exchange()
    t.finish()
    t = Talk(c)  # the answer's head is lost
    t.get()
    t.server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", lost=True)
    t.send("c")
    c.wait(1)
    t.exchange()
    t.finish()
    t = Talk(c)  # a request is lost
    t.client("GET /shop/1 HTTP/1.1\r\nHost: shop.example.com\r\n\r\n", lost=True)
    t.answer()
    c.wait(1)
    t.exchange()
    t.finish()
    t = Talk(c)  # nobody acknowledges the octets: they are waited for
    t.get()
    t.server("HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n" + "a" * 500)
    t.server("b" * 1000, lost=True)
    t.server("c" * 1500)
    c.wait(20)
    Talk(c).exchange()
    c.wait(20)
    t = Talk(c)  # a copy with a wrong checksum, and the right one
    for _ in range(20):
        t.exchange()
    t.client("GET /shop/2 HTTP/1.1\r\nHost: shop.example.com\r\n\r\n", spoiled=True, advance=False)
    t.get("/shop/2")
    t.answer()
    t.client("GET /shop/3 HTTP/1.1\r\nHost: shop.example.com\r\n\r\n", spoiled=True)  # taken all the same
    t.answer()
    t.exchange()
    t.client("GET /shop/4 HTTP/1.1\r\nHost: shop.example.com\r\n\r\n", spoiled=True)  # another was delivered, which was missed
    t.finish()
    t = Talk(c, client="198.51.100.8")  # a sender that leaves checksums to its network card
    t.client("GET /shop/1 HTTP/1.1\r\nHost: shop.example.com\r\n\r\n", spoiled=True)
    t.answer()
    t.client("GET /shop/2 HTTP/1.1\r\nHost: shop.example.com\r\n\r\n", spoiled=True)
    t.answer()
    t.finish()


def truncated(c):
    t = Talk(c)
    t.get()
    t.answer(200, body="x" * 1200)
    t.get()
    t.answer(200)
    t.finish()


def unreadable(c):
    for text in (
        "GET /shop\x01 HTTP/1.1\r\nHost: shop.example.com\r\n\r\n",
        "GET /shop HTTP/1.1\r\nHost: shop.example.com\r\nno colon\r\n\r\n",
        "GET /shop HTTP/1.1\r\nHost: shop.example.com\r\nX: a\x01b\r\n\r\n",
        "GET /shop HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: ten\r\n\r\n",
        "POST /shop HTTP/1.1\r\nHost: shop.example.com\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST /shop HTTP/1.1\r\nHost: shop.example.com\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "not a request line at all\r\n\r\n",
    ):
        t = Talk(c)
        t.exchange()
        t.client(text)
        t.answer(400, fields="Connection: close\r\n")
        t.finish("s")
    t = Talk(c)
    t.exchange()
    t.client("GET /shop HTTP/1.1\r\nHost: shop.example.com\r\n")
    for number in range(70):
        t.client(f"X-{number}: " + "a" * 1000 + "\r\n")
        t.send("s")
    t.answer(431)
    t.finish("s")
    t = Talk(c)  # a response whose head is too long
    t.get()
    t.server("HTTP/1.1 200 OK\r\n")
    for number in range(70):
        t.server(f"X-{number}: " + "a" * 1000 + "\r\n")
        t.send("c")
    t.finish("s")
    t = Talk(c)  # the head of a response, then a simple request (HTTP/0.9), and bare content longer than announced
    t.server("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
    t.send("c")
    t.client("GET /\r\n")
    t.send("s")
    t.client("\r\n")
    t.server("this is too much.\n")
    t.send("c")
    t.finish("s")
    t = Talk(c)  # octets of no protocol
    t.client(b"\x00\x01\x02\x03 nothing that is known" * 20)
    t.server(b"\x04\x05\x06" * 30)
    t.finish()
    t = Talk(c, handshake=False)  # the same, begun before the capture
    t.client(b"\x00\x01\x02\x03 nothing that is known" * 40)
    t.server(b"\x04\x05\x06" * 300)
    t.finish()
    t = Talk(c)  # TLS that nobody has keys for
    t.hello(b"\x13\x01", bytes.fromhex("002b00020304"))
    for _ in range(3):
        t.client(b"\x17\x03\x03\0\x40" + bytes(64))
        t.server(b"\x17\x03\x03\0\x40" + bytes(64))
    t.finish()
    t = Talk(c)  # TLS with a cipher suite that is none
    t.hello(b"\x7a\x7a", b"")
    t.client(b"\x14\x03\x03\0\1\1" + b"\x16\x03\x03\0\x28" + bytes(40))
    t.server(b"\x14\x03\x03\0\1\1" + b"\x16\x03\x03\0\x28" + bytes(40))
    t.finish()
    t = Talk(c)  # TLS whose handshake comes to nothing
    t.hello(b"\x13\x01", b"", answers=False)
    t.server(b"\x15\x03\x01\0\2\2\x28")
    t.finish("s")
    t = Talk(c)
    t.client("PROXY TCP4 203.0.113.9 10.244.1.10 51000 8080\r\n")
    t.exchange()
    t.finish()
    t = Talk(c)
    t.client("PROXY TCP4 203.0.113.999 10.244.1.10 51000 8080\r\n")
    t.exchange()
    t.finish()


def http2(c):
    t = Talk(c)
    t.client(PREFACE + frame(4, 0, 0) + h2_request(1))
    t.server(frame(4, 0, 0) + head(1, (":status", "200"), ends=True))
    t.client(h2_request(3, method="CONNECT", path="/shop/chat", more=((":protocol", "websocket"),), ends=False))
    t.server(head(3, (":status", "200")) + frame(0, 0, 3, b"\x81\x02hi"))
    t.client(frame(0, 1, 3, b"\x88\x00"))
    t.server(frame(0, 1, 3, b"\x88\x00"))
    t.client(head(5, (":method", "CONNECT"), (":authority", "shop.example.com:443")))
    t.server(head(5, (":status", "200")) + frame(0, 0, 5, b"tunnel"))
    t.client(frame(0, 1, 5, b"bye"))
    t.server(frame(0, 1, 5, b"bye"))
    for stream, method in ((13, "QUERY"), (15, "BREW")):
        t.client(h2_request(stream, method=method))
        t.server(head(stream, (":status", "200"), ends=True))
    t.client(h2_request(17))
    t.server(head(17, (":status", "999"), ends=True))
    t.client(h2_request(19))
    t.server(frame(3, 0, 19, struct.pack(">I", 7)))  # refused: never taken
    t.client(frame(1, 4, 21, b"\xff\xff\xff\xff\xff\xff\xff\xff"))  # no field block
    t.client(h2_request(23))
    t.server(head(23, (":status", "200"), ends=True))
    t.finish()
    t = Talk(c, handshake=False)  # joined late: the names of its table are not known
    t.client(frame(1, 5, 101, b"\xbe\xbf\xc0\xc1"))
    t.server(frame(1, 4, 101, b"\xbe\x88") + frame(0, 1, 101, b"{}"))
    t.client(frame(1, 5, 103, literal((":method", "GET"), (":scheme", "http"), (":authority", "shop.example.com"), (":path", "/shop/1"))))
    t.server(head(103, (":status", "200"), ends=True))
    t.client(frame(1, 5, 105, b"\xbe\xbf\xc0\xc1"))
    t.server(frame(1, 4, 105, b"\x88") + frame(0, 1, 105, b"{}"))
    t.finish()


def connections(c):
    t = Talk(c, port=50001)
    t.exchange()
    t = Talk(c, port=50001, start=900_000)  # a new SYN on the same addresses: superseded
    t.exchange()
    t.send("c", b"\0", ahead=-1, advance=False)  # asks whether the other side is alive
    t.send("s")
    t.send("c", b"GET", flags=PSH)  # no ACK
    t.send("c", flags=RST, ahead=100_000_000, acknowledge=False)  # a RST that does not fit
    t.send("c", b"x" * 10, ahead=50_000_000, advance=False)  # far out of the window
    t.send("c", flags=SYN, ahead=7, acknowledge=False)  # a SYN on a live connection, which is challenged
    t.send("s")
    t.exchange()
    t.finish()
    t.send("s", b"late")  # after its end
    stray = Talk(c, handshake=False)
    stray.send("c", flags=RST)
    refused = Talk(c, handshake=False)
    refused.send("c", flags=SYN, acknowledge=False)
    refused.next["c"] += 1
    refused.send("s", flags=RST | ACK)
    expired = Talk(c, handshake=False)
    expired.send("c", flags=SYN, acknowledge=False)
    c.wait(60)
    t = Talk(c)
    t.exchange()
    c.wait(60)
    t.exchange()
    t.reset("s")
    # A connection whose numbers go on where a loss of a gigabyte has left them.
    t = Talk(c)
    t.exchange()
    t.next["c"] += 1_000_000_000
    t.next["s"] += 1_000_000_000
    for _ in range(6):
        t.exchange()
        t.send("c")
    t.finish()
    # Half of a request: the capture ends.
    t = Talk(c)
    t.get()


def crowded(c):
    """For a table of 16 connections, of which eight may be half-open."""
    talks = [Talk(c) for _ in range(24)]
    for t in talks:
        t.exchange()
        t.get()
        c.wait(0.1)
    for number in range(40):
        Talk(c, handshake=False, client=f"198.51.100.{100 + number}").send("c", flags=SYN, acknowledge=False)


def forgotten(c):
    """For a table of 16 connections and an idle timeout of five minutes: idle ones are forgotten, and go on later."""
    talks = [Talk(c) for _ in range(12)]
    for t in talks:
        t.exchange()
    for _ in range(45):  # a leap of the clock is not believed at once
        c.wait(10)
        more = Talk(c)
        more.exchange()
        more.finish()
    for t in talks:
        t.exchange()


def half_heads(c):
    """Heads that do not come to their end, in little room for all of them."""
    for t in [Talk(c) for _ in range(12)]:
        t.client("GET /shop/1 HTTP/1.1\r\nHost: shop.example.com\r\nX: " + "a" * 1000)
        t.send("s")


def held(c):
    """For two waiting connections, and little room on each and in all."""
    talks = [Talk(c) for _ in range(5)]
    for t in talks:
        t.get()
        t.server("HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n")
        t.server("a" * 1000, lost=True)
        for _ in range(8):
            t.server("b" * 1400)
    for t in talks:
        t.finish()
    for _ in range(12):
        t = Talk(c)
        t.exchange()
        t.finish()


def fragments(c):
    t = Talk(c)
    request = b"GET /shop/1 HTTP/1.1\r\nHost: shop.example.com\r\nX: " + b"a" * 100 + b"\r\n\r\n"
    segment = tcp(t.ends["c"], t.ends["s"], t.next["c"], t.next["s"], PSH | ACK, request)
    t.next["c"] += len(request)
    for offset in (0, 64, 128):
        part = segment[offset : offset + 64] if offset < 128 else segment[offset:]
        more = 0x2000 if offset < 128 else 0
        c.frame(ethernet(ip(part, CLIENT, GATEWAY, number=77, fragment=more | offset // 8)))
    t.answer()
    t.finish()
    for number in range(6):  # first fragments whose rest does not come
        c.frame(ethernet(ip(bytes(64), CLIENT, GATEWAY, number=100 + number, fragment=0x2000)))
    c.wait(60)
    c.frame(ethernet(ip(bytes(64), CLIENT, GATEWAY, number=200, fragment=0x2000)))
    Talk(c).exchange()


def cut_short(c):
    """A frame that ends within each layer, and some of what holds no TCP."""
    v4 = lambda payload, protocol: ip(payload, CLIENT, GATEWAY, protocol=protocol)
    udp = lambda port, payload: struct.pack(">HHHH", 50000, port, 8 + len(payload), 0) + payload
    inner = ethernet(v4(tcp((CLIENT, 1), (GATEWAY, 8080), 1, 1, ACK), 6))
    c.frame(ethernet(b"")[:10])  # ethernet
    c.frame(ethernet(b"\0", 0x8100))  # vlan
    c.frame(ethernet(b"\xaa\xaa", 3))  # llc
    c.frame(ethernet(b"\x11\x00", 0x8864))  # pppoe
    c.frame(ethernet(b"\x11\0\0\1\0\1\0", 0x8864))  # ppp
    c.frame(ethernet(b"\0\1", 0x8847))  # mpls
    c.frame(ethernet(b"\x45\0"))  # ipv4
    c.frame(ethernet(b"\x45\0\0\x0a" + bytes(16)))  # ipv4: shorter than its header
    c.frame(ethernet(b"\x60\0", 0x86DD))  # ipv6
    c.frame(ethernet(v4(bytes(3), 6)))  # tcp
    c.frame(ethernet(v4(bytes(2), 47)))  # gre
    c.frame(ethernet(v4(struct.pack(">HH", 0x7000, 0x6558), 47)))  # gre of a version that is not
    c.frame(ethernet(v4(bytes(3), 17)))  # udp
    c.frame(ethernet(v4(udp(4789, b"\x08\0\0"), 17)))  # vxlan
    c.frame(ethernet(v4(udp(6081, b"\0\0\x65"), 17)))  # geneve
    c.frame(ethernet(v4(udp(6081, b"\x3f\0\x65\x58" + bytes(4)), 17)))  # geneve with options that are not there
    c.frame(ethernet(ip(bytes(70), CLIENT, GATEWAY, number=1, fragment=0x2000)))  # fragment: no multiple of eight
    c.frame(ethernet(ip(bytes(64), CLIENT, GATEWAY, number=2, fragment=0x3FFF)))  # fragment: beyond the longest packet
    nested = inner
    for _ in range(40):
        nested = ethernet(v4(udp(4789, b"\x08\0\0\0\0\0\1\0" + nested), 17))
    c.frame(nested[:60000])  # too deep
    c.frame(inner[:30], length=len(inner))  # cut by the snapshot length
    c.frame(ethernet(bytes(28), 0x0806))  # arp
    c.frame(ethernet(bytes(40), 0x88CC))  # another EtherType
    c.frame(ethernet(b"\x42\x42\x03" + bytes(40), 43))  # another LLC protocol
    c.frame(ethernet(b"\x11\0\0\1\0\x0a\xc0\x21" + bytes(8), 0x8864))  # PPP's own
    c.frame(ethernet(v4(bytes(8), 1)))  # icmp
    c.frame(ethernet(v4(udp(53, bytes(20)), 17)))
    c.frame(ethernet(v4(bytes(40), 50)))  # encrypted
    c.frame(ethernet(v4(bytes(40), 89)))  # another protocol
    c.frame(ethernet(v4(struct.pack(">HH", 0x2001, 0x880B) + bytes(20), 47)))  # a tunnel's own
    c.frame(ethernet(v4(udp(2152, b"\x32\1\0\4\0\0\0\0" + bytes(4)), 17)))


def wireless(c):
    """IEEE 802.11."""
    c.frame(b"\x08\0\0\0" + bytes(3))  # a data frame that ends within its header
    c.frame(b"\x80\0" + bytes(30))  # a beacon


def unknown_link(c):
    """A link type that is not decoded."""
    c.frame(bytes(40))


CAPTURES = [methods, statuses, broken_off, unmatched, lossy, truncated, unreadable, http2, connections, crowded, forgotten, half_heads, held, fragments, cut_short, wireless, unknown_link]
LINK_TYPES = {wireless: 105, unknown_link: 147}


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for make in CAPTURES:
        Talk.port = 40000
        capture = Capture(LINK_TYPES.get(make, 1))
        make(capture)
        capture.write(folder / f"{make.__name__.replace('_', '-')}.pcap", 300 if make is truncated else 262144)


if __name__ == "__main__":
    main()
