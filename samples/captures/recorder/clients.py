# Wingmirror · Apache-2.0
"""The clients: shoppers on keep-alive connections, tools, and the odd ones every gateway meets.

Run inside the clients' namespace: clients.py HOST PORT SECONDS SEED
"""

import asyncio
import contextlib
import json
import random
import socket
import struct
import sys

import aiohttp

import network

AUTHORITY = "shop.example.com"
BROWSERS = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36",
    "shop-mobile/4.2 (Android 16)",
]


class Clients:
    def __init__(self, host, port, seconds, seed):
        self.host, self.port, self.seconds = host, port, seconds
        self.base = "http://%s:%d" % (host, port)
        self.random = random.Random(seed)

    async def run(self):
        """Everybody at once, each with a pace of their own, for about `seconds`."""
        shoppers = [(address, self.host) for address in network.CLIENT_ADDRESSES]
        shoppers += [(address, network.GATEWAY_ADDRESS_6) for address in network.CLIENT_ADDRESSES_6]
        await asyncio.gather(
            *(self.shopper(number, address, host) for number, (address, host) in enumerate(shoppers)),
            self.uploader(), self.importer(), self.crawler(), self.pipeliner(), self.reporter(), self.listener(),
            self.impatient(), self.late(), self.unlucky(), self.odd(), self.live_view("198.51.100.24"), self.prober(), self.monitor(),
        )

    async def pause(self, share):
        """Waits about this share of the whole time."""
        await asyncio.sleep(self.seconds * share * self.random.uniform(0.6, 1.4))

    # Clients that behave.

    async def shopper(self, number, address, host):
        """A browser: one connection kept alive, looking, asking again with validators, ordering."""
        source = random.Random("%d %s" % (number, address))
        base = "http://[%s]:%d" % (host, self.port) if ":" in host else self.base
        fields = {"host": AUTHORITY, "user-agent": BROWSERS[number % len(BROWSERS)],
                  "accept": "application/json, */*;q=0.5", "accept-encoding": "gzip",
                  "cookie": "session=sample-%04d; currency=EUR" % number}
        validators = {}
        connector = aiohttp.TCPConnector(local_addr=(address, 0), limit=1)
        async with aiohttp.ClientSession(connector=connector, headers=fields) as session:
            await asyncio.sleep(self.seconds * 0.03 * number)
            for _ in range(40):
                method, path, extra = self.next_step(source, validators)
                async with session.request(method, base + path, **extra) as response:
                    await response.read()
                    if "ETag" in response.headers:
                        validators[path] = response.headers["ETag"]
                await asyncio.sleep(self.seconds / 60 * source.uniform(0.2, 1.9))

    def next_step(self, source, validators):
        kind = source.random()
        if kind < 0.34:
            return "GET", "/products/%d" % source.randint(1, 60), {}
        if kind < 0.42:
            return "GET", "/products?page=%d&sort=price" % source.randint(1, 9), {}
        if kind < 0.46:
            return "GET", "/products/%d.jpg" % source.randint(1, 6), {}
        if kind < 0.58 and validators:
            path = source.choice(sorted(validators))
            return "GET", path, {"headers": {"if-none-match": validators[path]}}
        if kind < 0.72:
            return "GET", "/orders/%d" % source.randint(1000, 9999), {"headers": {"authorization": "Bearer sample-token"}}
        if kind < 0.86:
            order = {"items": [source.randint(1, 60) for _ in range(source.randint(1, 60))], "note": "x" * 40}
            return "POST", "/orders", {"json": order}
        if kind < 0.90:
            return "DELETE", "/orders/%d" % source.randint(1000, 9999), {}
        if kind < 0.94:
            return "GET", source.choice(["/favicon.ico", "/robots.txt", "/", "/wp-login.php", "/product"]), {}
        return "GET", source.choice(["/products/none", "/products/limited", "/orders"]), {}

    async def uploader(self):
        """Chunked requests, as programs send that do not know the length when they begin."""
        connector = aiohttp.TCPConnector(local_addr=("198.51.100.37", 0), limit=1)
        async with aiohttp.ClientSession(connector=connector, headers={"host": AUTHORITY}) as session:
            for number in range(20):
                await self.pause(0.045)
                async with session.put("%s/orders/%d" % (self.base, 2000 + number), data=self.pieces()) as response:
                    await response.read()

    async def pieces(self):
        for _ in range(self.random.randint(2, 6)):
            yield b"%d;paid;%s\n" % (self.random.randint(1, 9999), b"-" * self.random.randint(20, 400))
            await asyncio.sleep(0.003)

    async def importer(self):
        """curl asking first: Expect: 100-continue before a body of some kilooctets."""
        for number in range(10):
            await self.pause(0.09)
            await self.curl("-X", "PUT", "-H", "Expect: 100-continue", "-H", "Content-Type: application/json",
                            "--data", json.dumps({"rows": list(range(300 + 90 * number))}),
                            self.base + "/orders/%d" % (3000 + number))

    async def crawler(self):
        """HEAD, ranges and Connection: close, by curl, each on a connection of its own."""
        for number in range(30):
            await self.pause(0.03)
            url = self.base + "/products/%d" % self.random.randint(1, 60)
            if number % 3 == 0:
                await self.curl("--head", url)
            elif number % 3 == 1:
                await self.curl("--range", "0-63", url)
            else:
                await self.curl("-H", "Connection: close", "--compressed", url, self.base + "/products/2.jpg")

    async def reporter(self):
        """Slow answers: late to begin, or long to end."""
        for number in range(12):
            await self.pause(0.06)
            path = "/products/export.csv" if number % 4 == 3 else "/orders/report"
            await self.curl(self.base + path)

    async def listener(self):
        """A stream of events, which lasts three seconds."""
        await self.pause(0.3)
        await self.curl("-N", self.base + "/orders/events")

    async def live_view(self, address):
        """A WebSocket, twice."""
        connector = aiohttp.TCPConnector(local_addr=(address, 0))
        async with aiohttp.ClientSession(connector=connector, headers={"host": AUTHORITY}) as session:
            for _ in range(2):
                await self.pause(0.2)
                async with session.ws_connect(self.base + "/orders/live") as view:
                    for number in range(8):
                        await view.send_str("order %d?" % number)
                        await view.receive()
                        await self.pause(0.015)

    async def curl(self, *arguments):
        process = await asyncio.create_subprocess_exec(
            "curl", "--silent", "--output", "/dev/null", "--output", "/dev/null", "--http1.1", "--max-time", "20",
            "--interface", self.random.choice(network.CLIENT_ADDRESSES), "-H", "Host: " + AUTHORITY, *arguments)
        await process.wait()

    # Clients that are clumsy, impatient or strange, over plain sockets.

    async def pipeliner(self):
        """Several requests in one segment; answers come in order."""
        for burst in range(8):
            await self.pause(0.1)
            paths = ["/products/%d" % self.random.randint(1, 60) for _ in range(3)] + ["/orders/%d" % (4000 + burst)]
            await self.exchange(b"".join(self.head("GET", path) for path in paths), answers=len(paths))

    async def impatient(self):
        """Goes away: while waiting for an answer (reset), in the middle of one (reset), and in the middle of a request."""
        for _ in range(3):
            await self.pause(0.08)
            async with self.connection() as (reader, writer):
                writer.write(self.head("GET", "/orders/report"))
                await asyncio.sleep(0.3)
                self.reset(writer)
        for _ in range(3):
            await self.pause(0.08)
            async with self.connection() as (reader, writer):
                writer.write(self.head("GET", "/products/export.csv"))
                await reader.readexactly(2000)
                self.reset(writer)
        for _ in range(2):
            await self.pause(0.08)
            async with self.connection() as (reader, writer):
                writer.write(self.head("POST", "/orders", "Content-Length: 900") + b"{" * 300)
                await asyncio.sleep(0.1)

    async def late(self):
        """Goes on sending a body after the gateway has answered and closed: the gateway resets."""
        for _ in range(2):
            await self.pause(0.2)
            async with self.connection() as (reader, writer):
                writer.write(self.head("POST", "/cart", "Content-Length: 900") + b"{" * 300)
                await reader.read()
                writer.write(b"}" * 600)
                await asyncio.sleep(0.1)

    async def unlucky(self):
        """Meets a service that is down, one that resets before answering, and one that resets within its answer."""
        for number in range(12):
            await self.pause(0.06)
            path = ("/orders/maintenance", "/orders/%d/crash" % number, "/orders/%d/broken" % number)[number % 3]
            await self.curl(self.base + path)

    async def odd(self):
        """What the gateway answers itself, and paths that are not what they seem."""
        heads = [
            b"GET /products/1 HTTP/1.1\r\n\r\n",
            b"GET /products/1 HTTP/1.0\r\n\r\n",
            self.head("OPTIONS", "*"),
            self.head("GET", "http://%s/orders/5001" % AUTHORITY),
            self.head("GET", "/products/../orders/5002"),
            self.head("GET", "/products/%2e%2e/orders/5003"),
            self.head("GET", "/products/7#reviews"),
            self.head("GET", "/productsale"),
            self.head("GET", "/PRODUCTS/7"),
        ]
        for head in heads:
            await self.pause(0.08)
            await self.exchange(head, answers=1)

    async def prober(self):
        """A load balancer's health check: connects and closes, and says nothing."""
        for _ in range(6):
            await self.pause(0.12)
            async with self.connection():
                pass

    async def monitor(self):
        """Asks for the same thing again and again on one connection, as monitors do."""
        async with self.connection() as (reader, writer):
            for _ in range(40):
                writer.write(self.head("HEAD", "/products"))
                await reader.readuntil(b"\r\n\r\n")
                await self.pause(0.02)

    def head(self, method, target, *fields):
        lines = ["%s %s HTTP/1.1" % (method, target), "Host: " + AUTHORITY, *fields]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    @contextlib.asynccontextmanager
    async def connection(self):
        reader, writer = await asyncio.open_connection(
            self.host, self.port, local_addr=(self.random.choice(network.CLIENT_ADDRESSES), 0))
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def exchange(self, octets, answers):
        """Sends octets and reads until that many answers have come, or the gateway closes."""
        async with self.connection() as (reader, writer):
            writer.write(octets)
            for _ in range(answers):
                head = await self.answer_head(reader)
                if head is None:
                    return
                length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
                               if line.startswith(b"content-length:")), 0)
                await reader.readexactly(length)

    @staticmethod
    async def answer_head(reader):
        try:
            return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.TimeoutError):
            return None

    @staticmethod
    def reset(writer):
        """Closes with RST: what is unread or unsent is thrown away."""
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()


if __name__ == "__main__":
    asyncio.run(Clients(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])).run())
