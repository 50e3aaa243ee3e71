# Wingmirror · Apache-2.0
"""The order service: JSON, chunked answers, uploads, a live channel, and the ways in which a service goes wrong.

Run inside the gateway's namespace: order_service.py ADDRESS PORT SEED
"""

import asyncio
import json
import random
import sys

from aiohttp import WSMsgType, web


class OrderService:
    def __init__(self, seed):
        self._random = random.Random(seed)

    async def work(self):
        """Takes some milliseconds, and now and then much longer: what makes a 99th percentile."""
        await asyncio.sleep(min(self._random.lognormvariate(-5.3, 0.9), 0.25))
        if self._random.random() < 0.02:
            await asyncio.sleep(self._random.uniform(0.4, 0.9))

    async def list(self, request):
        """Chunked: several pieces, with pauses between them."""
        await self.work()
        response = web.StreamResponse(headers={"content-type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        for part in range(self._random.randint(2, 5)):
            rows = [{"order": part * 10 + n, "state": "shipped"} for n in range(self._random.randint(3, 9))]
            await response.write(json.dumps(rows).encode() + b"\n")
            await asyncio.sleep(0.002)
        await response.write_eof()
        return response

    async def show(self, request):
        await self.work()
        response = web.json_response({"order": request.match_info["order"], "items": list(range(40)), "state": "paid"})
        response.enable_compression()
        return response

    async def create(self, request):
        try:
            content = await request.read()
        except ConnectionResetError:
            return web.Response(status=400)
        await self.work()
        number = self._random.randint(1000, 9999)
        return web.json_response({"order": number, "received": len(content)}, status=201,
                                 headers={"location": "/orders/%d" % number})

    async def replace(self, request):
        content = await request.read()
        await self.work()
        return web.json_response({"order": request.match_info["order"], "received": len(content)})

    async def remove(self, request):
        await self.work()
        return web.Response(status=204)

    async def report(self, request):
        """Slow to begin."""
        await asyncio.sleep(self._random.uniform(0.8, 2.2))
        return web.json_response({"orders": 12345, "total": "678901.23"})

    async def events(self, request):
        """Quick to begin, slow to end: a server-sent event each quarter of a second."""
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        for number in range(12):
            await response.write(b"data: {\"event\": %d}\n\n" % number)
            await asyncio.sleep(0.25)
        await response.write_eof()
        return response

    async def maintenance(self, request):
        return web.json_response({"error": "maintenance"}, status=503, headers={"retry-after": "30"})

    async def crash(self, request):
        """Resets the connection before an answer: the gateway makes it a 503 of its own."""
        request.transport.abort()
        await asyncio.sleep(0.1)
        return web.Response()

    async def broken(self, request):
        """Resets the connection in the middle of an answer: the gateway has begun its own and can only break it off."""
        response = web.StreamResponse(headers={"content-type": "application/json", "content-length": "5000"})
        await response.prepare(request)
        await response.write(b"x" * 1200)
        await asyncio.sleep(0.05)
        request.transport.abort()
        return response

    async def live(self, request):
        """A WebSocket that answers each message."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            await socket.send_json({"seen": message.data, "state": "packed"})
        return socket

    def application(self):
        app = web.Application()
        app.add_routes([
            web.get("/orders", self.list),
            web.post("/orders", self.create),
            web.get("/orders/report", self.report),
            web.get("/orders/events", self.events),
            web.get("/orders/maintenance", self.maintenance),
            web.get("/orders/live", self.live),
            web.get("/orders/{order}", self.show),
            web.put("/orders/{order}", self.replace),
            web.delete("/orders/{order}", self.remove),
            web.get("/orders/{order}/crash", self.crash),
            web.get("/orders/{order}/broken", self.broken),
        ])
        return app


if __name__ == "__main__":
    web.run_app(OrderService(int(sys.argv[3])).application(), host=sys.argv[1], port=int(sys.argv[2]), print=None)
