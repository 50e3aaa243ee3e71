# Wingmirror · Apache-2.0
"""The clients of the secure gateway: browsers over HTTP/2, old programs over TLS 1.2, gRPC and WebSocket.

Run inside the clients' namespace: secure_clients.py HOST PORT SECONDS SEED CERTIFICATE
"""

import asyncio
import json
import pathlib
import random
import ssl
import sys

import aiohttp
import grpc
import grpc.aio
import httpx

import network

NAME = "shop.example.com"


class Clients:
    def __init__(self, host, port, seconds, seed, certificate):
        self.host, self.port, self.seconds = host, port, seconds
        self.random = random.Random(seed)
        self.certificate = certificate
        self.trust = ssl.create_default_context(cafile=certificate)

    async def run(self):
        """Everybody at once, each with a pace of their own, for about `seconds`."""
        browsers = [self.browser(number, address) for number, address in enumerate(network.CLIENT_ADDRESSES[:4])]
        await asyncio.gather(
            *browsers, self.old_program(), self.downloader(), self.warehouse(), self.impatient_warehouse(), self.auditor(),
            self.talker("hello", "bye"), self.talker("is anybody there?", None), self.lost())

    async def pause(self, source, share=0.04):
        await asyncio.sleep(self.seconds * share * source.uniform(0.3, 1.7))

    async def browser(self, number, address):
        """One connection of HTTP/2, several requests at once on it."""
        source = random.Random("browser %d" % number)
        fields = {"host": NAME, "user-agent": "Firefox/140.0 (%d)" % number, "accept-language": "en",
                  "cookie": "session=%032x" % source.getrandbits(128)}
        transport = httpx.AsyncHTTPTransport(http2=True, verify=self.trust, local_address=address)
        async with httpx.AsyncClient(transport=transport, headers=fields) as client:
            for _ in range(14):
                paths = ["/products/%d" % source.randint(1, 40) for _ in range(source.randint(1, 5))]
                if source.random() < 0.15:
                    paths.append("/products/13")
                if source.random() < 0.2:
                    paths.append("/favicon.ico")
                await asyncio.gather(*(self.fetch(client, path) for path in paths))
                if source.random() < 0.3:
                    await client.post(self.url("/products/%d/reviews" % source.randint(1, 40)), json={"stars": 4},
                                      extensions=self.named)
                await self.pause(source)

    named = {"sni_hostname": NAME}

    def url(self, path):
        return "https://%s:%d%s" % (self.host, self.port, path)

    async def fetch(self, client, path):
        await client.get(self.url(path), extensions=self.named)

    async def curl(self, *arguments):
        process = await asyncio.create_subprocess_exec(
            "curl", "-sS", "-o", "/dev/null", "--cacert", self.certificate, "--connect-to",
            "%s:443:%s:%d" % (NAME, self.host, self.port), *arguments)
        await process.wait()

    async def old_program(self):
        """HTTP/1.1 over TLS 1.2, a few requests on each connection."""
        for number in range(12):
            urls = [argument for path in range(3) for argument in
                    ("-o", "/dev/null", "https://%s/products/%d" % (NAME, number * 3 + path + 1))]
            await self.curl("--http1.1", "--tls-max", "1.2", *urls[2:])
            await self.pause(self.random, 0.06)

    async def downloader(self):
        for number in range(6):
            await self.curl("--http2", "https://%s/products/%d.jpg" % (NAME, number))
            await self.pause(self.random, 0.1)

    def channel(self):
        credentials = grpc.ssl_channel_credentials(pathlib.Path(self.certificate).read_bytes())
        return grpc.aio.secure_channel("%s:%d" % (self.host, self.port), credentials,
                                       [("grpc.ssl_target_name_override", NAME), ("grpc.default_authority", NAME)])

    async def warehouse(self):
        """Calls with one message each way, some of which fail."""
        async with self.channel() as channel:
            for number in range(60):
                method = "Reserve" if number % 3 == 0 else "Check"
                call = channel.unary_unary("/shop.Stock/%s" % method)
                try:
                    await call(json.dumps({"product": number}).encode())
                except grpc.aio.AioRpcError:
                    pass
                await self.pause(self.random, 0.012)

    async def impatient_warehouse(self):
        """Calls that are given up, and one of a method that does not exist."""
        async with self.channel() as channel:
            for method, timeout in [("Watch", 0.4), ("Missing", 5), ("Watch", 0.25)]:
                try:
                    async for _ in channel.unary_stream("/shop.Stock/%s" % method)(b"{}", timeout=timeout):
                        pass
                except grpc.aio.AioRpcError:
                    pass
                await self.pause(self.random, 0.2)

    async def auditor(self):
        """Streams in either direction."""
        async with self.channel() as channel:
            for _ in range(5):
                async for _ in channel.unary_stream("/shop.Stock/Watch")(b"{}"):
                    pass
                call = channel.stream_unary("/shop.Stock/Count")
                await call(json.dumps({"product": number}).encode() for number in range(12))
                await self.pause(self.random, 0.08)

    async def talker(self, first, last):
        """A chat on a connection of its own; with nothing to say at the end its client leaves without a word."""
        async with aiohttp.ClientSession() as session:
            socket = await session.ws_connect(
                self.url("/chat"), ssl=self.trust, server_hostname=NAME, headers={"host": NAME}, autoclose=False)
            for number in range(10):
                await socket.send_str("%s (%d)" % (first, number))
                await socket.receive()
                await self.pause(self.random, 0.05)
            await socket.send_bytes(bytes(range(200)))
            await socket.receive()
            if last:
                await socket.send_str(last)
                await socket.receive()
                await socket.close()
            else:
                socket._response.connection.transport.abort()

    async def lost(self):
        """Asks for what no rule takes."""
        for path in ("/", "/cart", "/product"):
            await self.curl("--http2", "https://%s%s" % (NAME, path))
            await self.pause(self.random, 0.2)


if __name__ == "__main__":
    host, port, seconds, seed, certificate = sys.argv[1:6]
    asyncio.run(Clients(host, int(port), float(seconds), int(seed), certificate).run())
