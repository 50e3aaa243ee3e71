# Wingmirror · Apache-2.0
"""What stands behind the secure gateway: pages and a chat by aiohttp, the stock by grpcio.

Run inside the gateway's namespace: secure_services.py PAGES STOCK CHAT PORT
"""

import asyncio
import json
import sys

import aiohttp.web
import grpc.aio


async def page(request):
    """A page of JSON; one path fails as services do."""
    number = request.match_info.get("number", "0")
    if number == "13":
        return aiohttp.web.json_response({"error": "the price list is being changed"}, status=503)
    tags = ["tag-%d" % index for index in range(int(number) % 90)]
    response = aiohttp.web.json_response({"product": int(number), "tags": tags})
    response.enable_compression()
    return response


async def image(request):
    """Content long enough for many TLS records."""
    return aiohttp.web.Response(body=bytes(range(256)) * 200, content_type="image/jpeg")


async def chat(request):
    """Answers what is said until the client leaves."""
    socket = aiohttp.web.WebSocketResponse(heartbeat=5)
    await socket.prepare(request)
    async for message in socket:
        if message.type == aiohttp.WSMsgType.TEXT:
            await socket.send_str("%s, you said" % message.data)
        elif message.type == aiohttp.WSMsgType.BINARY:
            await socket.send_bytes(message.data[::-1])
        if message.data == "bye":
            await socket.close(code=1000)
    return socket


class Stock(grpc.GenericRpcHandler):
    """The service shop.Stock. Its messages are JSON: what they hold does not matter here."""

    def service(self, details):
        name = details.method.rpartition("/")[2]
        return {
            "Check": grpc.unary_unary_rpc_method_handler(self.check),
            "Reserve": grpc.unary_unary_rpc_method_handler(self.reserve),
            "Watch": grpc.unary_stream_rpc_method_handler(self.watch),
            "Count": grpc.stream_unary_rpc_method_handler(self.count),
        }.get(name)

    async def check(self, request, context):
        number = json.loads(request)["product"]
        if number % 10 == 9:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such product")
        return json.dumps({"left": number * 7 % 40}).encode()

    async def reserve(self, request, context):
        if json.loads(request)["product"] % 4 == 3:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the warehouse is closed")
        await asyncio.sleep(0.02)
        return b"{}"

    async def watch(self, request, context):
        for left in range(8):
            yield json.dumps({"left": left}).encode()
            await asyncio.sleep(0.15)

    async def count(self, requests, context):
        count = 0
        async for _ in requests:
            count += 1
        return json.dumps({"counted": count}).encode()


async def serve(address, port, routes):
    application = aiohttp.web.Application()
    application.add_routes(routes)
    runner = aiohttp.web.AppRunner(application)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, address, port).start()


async def main(pages, stock, chats, port):
    await serve(pages, port, [
        aiohttp.web.get("/products/{number:\\d+}", page), aiohttp.web.get("/products/{number:\\d+}.jpg", image),
        aiohttp.web.post("/products/{number:\\d+}/reviews", page),
    ])
    await serve(chats, port, [aiohttp.web.get("/chat", chat)])
    server = grpc.aio.server()
    server.add_generic_rpc_handlers([Stock()])
    server.add_insecure_port("%s:%d" % (stock, port))
    await server.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4], int(sys.argv[4])))
