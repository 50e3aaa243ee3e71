# Wingmirror · Apache-2.0
"""Clients that talk by chance: HTTP/1.0, 1.1 and HTTP/2, plain or by TLS. Each request has a target of its own, `/c<number>/…`."""

import asyncio
import random
import ssl
import struct

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

import gateway

TOKENS = "abcdefghijklmnopqrstuvwxyz0123456789-"
METHODS = ["GET", "GET", "GET", "GET", "HEAD", "POST", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]


class Targets:
    """The next target that no other request has."""

    def __init__(self):
        self.count = 0

    def next(self, chance):
        self.count += 1
        tail = chance.choice(["", "/short", "/a/b", "?q=" + "y" * chance.randrange(200), "/" + "z" * chance.choice([5, 100, 1500])])
        return f"/c{self.count}{tail}" if chance.random() > 0.05 else f"/gone/c{self.count}"

    def call(self):
        self.count += 1
        return f"/lab.Calls/c{self.count}"


def extra_fields(chance):
    """Names and values of which some come again and again, as tables of HTTP/2 want them, and some once."""
    fields = []
    for _ in range(chance.randrange(6)):
        name = f"x-{chance.choice(['role', 'team', 'trace', 'a', 'b', 'c'])}"
        fields.append((name, chance.choice(["tester", "user", "t" * chance.randrange(60), str(chance.randrange(10**9))])))
    if chance.random() < 0.2:
        fields.append(("cookie", "c=" + "k" * chance.choice([10, 200, 2000])))
    if chance.random() < 0.03:
        fields.append(("x-large", "".join(chance.choices(TOKENS, k=chance.choice([3000, 6000])))))
    if chance.random() < 0.1:
        fields.append((f"x-once-{chance.randrange(10**6)}", "v"))
    return fields


def seconds_between(chance):
    return chance.choice([0, 0, 0, 0.001, 0.01, 0.05])


# -- HTTP/1 ---------------------------------------------------------------------------------------------------------


def chunked(chance, body):
    out = b""
    while body:
        size = chance.randrange(1, 3000)
        piece, body = body[:size], body[size:]
        out += b"%x%s\r\n%s\r\n" % (len(piece), chance.choice([b"", b"", b";n=v", b' ; q="a;b"']), piece)
    return out + b"0\r\n" + chance.choice([b"", b"", b"X-Sum: 1\r\n"]) + b"\r\n"


def request(chance, targets, last):
    """The octets of a request, whether it waits for 100, and whether the connection can go on after it."""
    method = chance.choice(METHODS)
    version = "1.0" if chance.random() < 0.05 else "1.1"
    fields = [("Host", chance.choice(["shop.example.com", "api.example.com", "shop.example.com:80"])), *extra_fields(chance)]
    body, framed = b"", b""
    if method in ("POST", "PUT", "PATCH") or chance.random() < 0.05:
        body = bytes(chance.choices(b"\r\nGET / HTTP1.x", k=chance.choice([0, 3, 200, 1400, 3000, chance.randrange(40_000)])))
        if chance.random() < 0.3 and version == "1.1":
            fields.append(("Transfer-Encoding", "chunked"))
            framed = chunked(chance, body)
        else:
            fields.append(("Content-Length", str(len(body))))
            framed = body
    waits = bool(framed) and version == "1.1" and chance.random() < 0.15
    if waits:
        fields.append(("Expect", "100-continue"))
    goes_on = version == "1.1"
    if version == "1.0" and chance.random() < 0.5:
        fields.append(("Connection", "keep-alive"))
        goes_on = True
    if last and chance.random() < 0.3:
        fields.append(("Connection", "close"))
        goes_on = False
    if chance.random() < 0.02:
        fields.append(chance.choice([("Content-Length ", "7"), ("Content-Length", "7, 8"), ("Transfer-Encoding", "chunked, x"), ("Bad Name", "x")]))
        goes_on = False
    chance.shuffle(fields)
    head = f"{method} {targets.next(chance)} HTTP/{version}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
    return head.encode(), framed, waits, goes_on, method


async def write_in_pieces(chance, writer, octets):
    if chance.random() < 0.3:
        cuts = sorted(chance.randrange(len(octets) + 1) for _ in range(chance.randrange(1, 4)))
        for start, end in zip([0, *cuts], [*cuts, len(octets)], strict=True):
            writer.write(octets[start:end])
            await writer.drain()
            await asyncio.sleep(chance.choice([0, 0.001, 0.005]))
    else:
        writer.write(octets)
        await writer.drain()


async def read_answers(reader, methods):
    """Reads as many answers as requests; ends with the connection where one says nothing of its length."""
    for method in methods:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head.split(b" ", 2)[1])
            if status >= 200:
                break
        values = dict(field.lower().split(b":", 1) for field in head[:-4].split(b"\r\n")[1:])
        if method == "HEAD" or status in (204, 304):
            continue
        if b"transfer-encoding" not in values and b"content-length" not in values:
            await reader.read()
            raise ConnectionError
        await gateway.read_content(reader, values)


async def talk_http1(chance, targets, reader, writer):
    for round in range(chance.choice([1, 2, 3, 5, 8])):
        depth = chance.choice([1, 1, 1, 1, 2, 3, 5])
        methods, goes_on, octets = [], True, b""
        for place in range(depth):
            head, body, waits, goes_on, method = request(chance, targets, last=place == depth - 1)
            methods.append(method)
            if waits:
                # Those before it are sent and answered first, so that the 100 is this one's.
                await write_in_pieces(chance, writer, octets + head)
                await read_answers(reader, methods[:-1])
                line = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 2)
                methods, octets = methods[-1:], body
                if b" 100 " not in line[:14]:
                    return
            else:
                octets += head + body
            if not goes_on:
                break
        manner = chance.random()
        if manner < 0.02:
            writer.write(octets[: chance.randrange(len(octets) + 1)])
            await writer.drain()
            if chance.random() < 0.5:
                writer.transport.abort()
            return
        await write_in_pieces(chance, writer, octets)
        if manner < 0.04:
            await asyncio.sleep(chance.choice([0, 0.005, 0.05]))
            if chance.random() < 0.5:
                writer.transport.abort()
            return
        if manner < 0.06 and writer.can_write_eof():
            writer.write_eof()
        await read_answers(reader, methods)
        if not goes_on or manner < 0.06:
            return
        await asyncio.sleep(seconds_between(chance))


# -- HTTP/2 ---------------------------------------------------------------------------------------------------------


class Streams:
    """A client's side of one connection of HTTP/2."""

    def __init__(self, chance, targets, reader, writer, scheme):
        self.chance, self.targets, self.reader, self.writer, self.scheme = chance, targets, reader, writer, scheme
        self.connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.open = set()
        self.ended = False
        # What is written in pieces is not interrupted by what the other task has to say.
        self.writing = asyncio.Lock()

    async def flush(self):
        async with self.writing:
            octets = self.connection.data_to_send()
            if octets:
                await write_in_pieces(self.chance, self.writer, octets)

    async def read(self):
        try:
            while octets := await self.reader.read(65536):
                for event in self.connection.receive_data(octets):
                    if isinstance(event, h2.events.DataReceived):
                        self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    elif isinstance(event, h2.events.StreamEnded | h2.events.StreamReset):
                        self.open.discard(event.stream_id)
                await self.flush()
        except (ConnectionError, h2.exceptions.ProtocolError, ssl.SSLError):
            pass
        self.ended = True

    async def talk(self):
        chance, connection = self.chance, self.connection
        if chance.random() < 0.3:
            size = chance.choice([0, 64, 512, 8192])
            connection.local_settings = h2.settings.Settings(client=True, initial_values={
                h2.settings.SettingCodes.HEADER_TABLE_SIZE: size, h2.settings.SettingCodes.ENABLE_PUSH: 0,
            })  # fmt: skip
        connection.initiate_connection()
        reading = asyncio.create_task(self.read())
        try:
            await self.flush()
            for _ in range(chance.choice([1, 3, 8, 20])):
                for _ in range(chance.choice([1, 1, 2, 4])):
                    if not self.ended:
                        self.send_request()
                if chance.random() < 0.05:
                    connection.ping(b"12345678")
                await self.flush()
                await self.wait_for(chance.choice([0, 2, 5]))
            await self.wait_for(0)
            if chance.random() < 0.5:
                connection.close_connection()
                await self.flush()
        finally:
            reading.cancel()

    async def wait_for(self, most):
        """Until at most so many streams are open, two seconds at the longest; now and then one is reset instead."""
        for _ in range(200):
            if len(self.open) <= most or self.ended:
                return
            if self.chance.random() < 0.005:
                stream = self.chance.choice(sorted(self.open))
                self.connection.reset_stream(stream, 8)
                self.open.discard(stream)
                await self.flush()
            await asyncio.sleep(0.01)

    def send_request(self):
        chance, connection = self.chance, self.connection
        stream = connection.get_next_available_stream_id()
        call = chance.random() < 0.2
        method = "POST" if call else chance.choice(METHODS)
        fields = [
            (":method", method), (":scheme", self.scheme), (":authority", chance.choice(["shop.example.com", "api.example.com"])),
            (":path", self.targets.call() if call else self.targets.next(chance)), *extra_fields(chance),
        ]  # fmt: skip
        body = None
        if call:
            fields += [("content-type", "application/grpc"), ("te", "trailers")]
            message = bytes(chance.randrange(1000))
            body = b"".join(b"\0" + struct.pack(">I", len(message)) + message for _ in range(chance.randrange(1, 4)))
        elif method in ("POST", "PUT", "PATCH"):
            body = bytes(chance.choice([0, 10, 1000, 20_000]))
        connection.send_headers(stream, fields, end_stream=body is None)
        self.open.add(stream)
        if body is None:
            return
        trailers = not call and chance.random() < 0.15
        while True:
            room = min(connection.local_flow_control_window(stream), connection.max_outbound_frame_size, chance.randrange(1, 16_000))
            piece, body = body[:room], body[room:]
            if room <= 0:
                connection.reset_stream(stream, 8)
                self.open.discard(stream)
                return
            padding = chance.randrange(200) if chance.random() < 0.05 and room > 300 and len(piece) < room - 201 else None
            connection.send_data(stream, piece, end_stream=not body and not trailers, pad_length=padding)
            if not body:
                break
        if trailers:
            connection.send_headers(stream, [("x-sum", str(chance.randrange(9)))], end_stream=True)


# -- both -----------------------------------------------------------------------------------------------------------


def context(chance, protocol):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = chance.choice([ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
    context.set_alpn_protocols([protocol])
    return context


async def talk_once(seed, targets):
    chance = random.Random(seed)
    http2, secure = chance.random() < 0.5, chance.random() < 0.4
    protection = context(chance, "h2" if http2 else "http/1.1") if secure else None
    name = chance.choice(["shop.example.com", "api.example.com"]) if secure else None
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", gateway.SECURE if secure else gateway.PLAIN, ssl=protection, server_hostname=name, limit=1 << 20
    )
    try:
        if http2:
            await Streams(chance, targets, reader, writer, "https" if secure else "http").talk()
        else:
            await talk_http1(chance, targets, reader, writer)
        await asyncio.sleep(chance.choice([0, 0, 0.02, 0.3]))
    finally:
        writer.close()


async def talk(seed, seconds, at_once=12):
    """Conversations for so many seconds, `at_once` of them at a time; returns how many requests were begun."""
    targets, chance = Targets(), random.Random(seed)
    end = asyncio.get_running_loop().time() + seconds

    async def worker():
        while asyncio.get_running_loop().time() < end:
            try:
                await asyncio.wait_for(talk_once(chance.random(), targets), 20)
            except (OSError, EOFError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
                pass
            except h2.exceptions.ProtocolError:
                pass

    await asyncio.gather(*(worker() for _ in range(at_once)))
    return targets.count
