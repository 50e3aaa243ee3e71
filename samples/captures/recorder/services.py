# Wingmirror · Apache-2.0
"""What stands behind the gateway: nginx as the product service, an aiohttp program as the order service."""

import json
import pathlib
import random
import subprocess
import sys

import network

PORT = 9080
PRODUCTS = 60
HERE = pathlib.Path(__file__).parent

_NGINX = """
daemon off;
user root;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    default_type application/json;
    types {{ image/jpeg jpg; text/csv csv; }}
    client_body_temp_path {folder}/t1;
    proxy_temp_path {folder}/t2;
    fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4;
    scgi_temp_path {folder}/t5;
    gzip on;
    gzip_types application/json;
    gzip_min_length 900;
    gzip_proxied any;
    server {{
        listen {address}:{port};
        root {folder}/www;
        location = /products {{ try_files /products/index =404; }}
        # Quick to begin, slow to end.
        location = /products/export.csv {{ limit_rate 12k; }}
        location = /products/limited {{ return 429; }}
    }}
}}
"""


def write_catalogue(folder, seed):
    """Files for nginx to serve: JSON of many sizes, a few pictures, a table."""
    source = random.Random(seed)
    products = folder / "www" / "products"
    products.mkdir(parents=True)
    for number in range(1, PRODUCTS + 1):
        words = ["%s-%d" % (source.choice(["oak", "steel", "linen", "glass", "wool"]), source.randint(1, 999))
                 for _ in range(source.randint(3, 160))]
        (products / str(number)).write_text(json.dumps({"product": number, "price": source.randint(1, 400), "tags": words}))
    for number in range(1, 7):
        # Octets that do not compress, so that nobody mistakes them for text.
        (products / ("%d.jpg" % number)).write_bytes(b"\xff\xd8\xff\xe0" + source.randbytes(source.randint(3000, 14000)))
    (products / "index").write_text(json.dumps([{"product": n, "href": "/products/%d" % n} for n in range(1, 41)]))
    (products / "export.csv").write_text("".join("%d,%d\n" % (n, source.randint(1, 400)) for n in range(2000)))


class Services:
    """Both services, running in the gateway's namespace for as long as the context lasts."""

    def __init__(self, folder, seed, wait_for_port):
        self._folder = folder
        self._seed = seed
        self._wait_for_port = wait_for_port
        self._processes = []

    def __enter__(self):
        write_catalogue(self._folder, self._seed)
        address = network.SERVICE_ADDRESSES["product-service"]
        configuration = self._folder / "nginx.conf"
        configuration.write_text(_NGINX.format(folder=self._folder, address=address, port=PORT))
        try:
            self._start("nginx", "-c", str(configuration), "-e", str(self._folder / "nginx-error.log"))
            self._start(sys.executable, str(HERE / "order_service.py"), network.SERVICE_ADDRESSES["order-service"],
                        str(PORT), str(self._seed))
            for address in network.SERVICE_ADDRESSES.values():
                self._wait_for_port(network.GATEWAY_NAMESPACE, address, PORT)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(20)

    def _start(self, *command):
        self._processes.append(subprocess.Popen(network.inside(network.GATEWAY_NAMESPACE, *command),
                                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL))
