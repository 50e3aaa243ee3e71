# Wingmirror · Apache-2.0
"""An API server for trials: lists and watches of objects that a script holds, over plain HTTP."""
import http.server
import json
import socketserver
import threading
import time
import urllib.parse

ISTIO = "networking.istio.io/v1"


class Objects:
    """What the API server has: objects by the path of their collection, and what has changed since the start."""

    def __init__(self, lists):
        self.lists = {path: {self.key(item): item for item in items} for path, items in lists.items()}
        self.events = {path: [] for path in self.lists}
        self.version = 1
        self.requests = 0
        # When the first request came.
        self.first = None
        self.lock = threading.Condition()

    @staticmethod
    def key(item):
        return item["metadata"].get("namespace", ""), item["metadata"]["name"]

    def change(self, path, item, kind="MODIFIED"):
        """Adds, replaces or deletes an object, and tells those that watch."""
        with self.lock:
            self.version += 1
            item["metadata"]["resourceVersion"] = str(self.version)
            if kind == "DELETED":
                self.lists[path].pop(self.key(item), None)
            else:
                self.lists[path][self.key(item)] = item
            self.events[path].append((self.version, json.dumps({"type": kind, "object": item}).encode() + b"\n"))
            self.lock.notify_all()

    def serve(self, port=0):
        """Serves on loopback, on threads of its own; returns the port."""
        server = Server(("127.0.0.1", port), type("Handler", (API,), {"objects": self}))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_port


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64


class API(http.server.BaseHTTPRequestHandler):
    """Discovery of groups, lists and watches. A watch begins at a version, and field selectors know the node alone."""

    protocol_version = "HTTP/1.1"
    objects = None

    def log_message(self, *_):
        pass

    def answer(self, value, status=200):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        objects = self.objects
        objects.requests += 1
        objects.first = objects.first or time.time()
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if url.path == "/version":
            return self.answer({"major": "1", "minor": "31"})
        parts = url.path.split("/")
        served = [path.split("/")[2:] for path in objects.lists if path.startswith(url.path + "/")]
        if parts[1] == "apis" and len(parts) == 3 and served:
            return self.answer({"versions": [{"version": version} for version in sorted({names[1] for names in served})]})
        if parts[1] == "apis" and len(parts) == 4 and served:
            return self.answer({"resources": [{"name": names[-1], "verbs": ["list", "watch"]} for names in served]})
        if url.path not in objects.lists:
            return self.answer({}, 404)
        if "watch" in query:
            return self.watch(objects.events[url.path], int(query["resourceVersion"]))
        node = query.get("fieldSelector", "").partition("spec.nodeName=")[2]
        with objects.lock:
            items = [item for item in objects.lists[url.path].values() if not node or item["spec"]["nodeName"] == node]
            metadata = {"resourceVersion": str(objects.version)}
            return self.answer({"kind": "List", "apiVersion": "v1", "items": items, "metadata": metadata})

    def watch(self, events, seen):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        place = 0
        try:
            while True:
                with self.objects.lock:
                    if len(events) == place:
                        self.objects.lock.wait(1)
                    new, place = events[place:], len(events)
                for version, line in new:
                    if version > seen:
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                self.wfile.flush()
        except OSError:
            return
