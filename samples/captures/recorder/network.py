# Wingmirror · Apache-2.0
"""Two network namespaces joined by a veth pair: the clients' side and the gateway pod's side."""

import json
import subprocess

CLIENT_NAMESPACE = "wingmirror-rec-client"
GATEWAY_NAMESPACE = "wingmirror-rec-gateway"
CLIENT_INTERFACE = "wmrec-client"
GATEWAY_INTERFACE = "wmrec-gateway"

# Documentation and private ranges only (RFC 5737, RFC 3849, RFC 1918, RFC 4193).
CLIENT_ADDRESSES = ["198.51.100.%d" % n for n in (11, 12, 13, 24, 37, 52)]
CLIENT_ADDRESSES_6 = ["2001:db8:51::%x" % n for n in (0x11, 0x24)]
GATEWAY_ADDRESS = "10.244.1.10"
GATEWAY_ADDRESS_6 = "fd00:10:244:1::10"
SERVICE_ADDRESSES = {"product-service": "10.244.2.11", "order-service": "10.244.2.12"}


def run(*command):
    """Runs a command to its end; raises with what it printed when it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError("%s: %s" % (" ".join(command), (done.stderr or done.stdout).strip()))
    return done.stdout


def inside(namespace, *command):
    """The command line that runs `command` inside a namespace."""
    return ["ip", "netns", "exec", namespace, *command]


class Network:
    """Creates both namespaces on entry and deletes them on exit, with everything in them."""

    def __enter__(self):
        self.refuse_leftovers()
        try:
            self.create()
        except BaseException:
            self.delete()
            raise
        return self

    def __exit__(self, *_):
        self.delete()

    def refuse_leftovers(self):
        names = {entry["name"] for entry in json.loads(run("ip", "-json", "netns", "list") or "[]")}
        left = sorted(names & {CLIENT_NAMESPACE, GATEWAY_NAMESPACE})
        if left:
            raise RuntimeError("namespaces of another recording exist: " + ", ".join(left))

    def create(self):
        run("ip", "netns", "add", CLIENT_NAMESPACE)
        run("ip", "netns", "add", GATEWAY_NAMESPACE)
        run("ip", "link", "add", CLIENT_INTERFACE, "netns", CLIENT_NAMESPACE,
            "type", "veth", "peer", "name", GATEWAY_INTERFACE, "netns", GATEWAY_NAMESPACE)
        for namespace, interface in ((CLIENT_NAMESPACE, CLIENT_INTERFACE), (GATEWAY_NAMESPACE, GATEWAY_INTERFACE)):
            # Frames as they are on a wire: at most 1,514 octets, with real checksums.
            run(*inside(namespace, "ethtool", "-K", interface,
                        "tso", "off", "gso", "off", "gro", "off", "tx", "off", "rx", "off"))
            run("ip", "-n", namespace, "link", "set", "lo", "up")
            run("ip", "-n", namespace, "link", "set", interface, "up")
        for address in CLIENT_ADDRESSES:
            self.assign(CLIENT_NAMESPACE, CLIENT_INTERFACE, address + "/24")
        for address in CLIENT_ADDRESSES_6:
            self.assign(CLIENT_NAMESPACE, CLIENT_INTERFACE, address + "/64", "nodad")
        self.assign(GATEWAY_NAMESPACE, GATEWAY_INTERFACE, GATEWAY_ADDRESS + "/32")
        self.assign(GATEWAY_NAMESPACE, GATEWAY_INTERFACE, GATEWAY_ADDRESS_6 + "/128", "nodad")
        for address in SERVICE_ADDRESSES.values():
            self.assign(GATEWAY_NAMESPACE, "lo", address + "/32")
        self.route(CLIENT_NAMESPACE, CLIENT_INTERFACE, GATEWAY_ADDRESS + "/32")
        self.route(CLIENT_NAMESPACE, CLIENT_INTERFACE, GATEWAY_ADDRESS_6 + "/128")
        self.route(GATEWAY_NAMESPACE, GATEWAY_INTERFACE, "198.51.100.0/24")
        self.route(GATEWAY_NAMESPACE, GATEWAY_INTERFACE, "2001:db8:51::/64")

    @staticmethod
    def assign(namespace, interface, address, *flags):
        run("ip", "-n", namespace, "address", "add", address, "dev", interface, *flags)

    @staticmethod
    def route(namespace, interface, prefix):
        run("ip", "-n", namespace, "route", "add", prefix, "dev", interface)

    @staticmethod
    def delete():
        for namespace in (CLIENT_NAMESPACE, GATEWAY_NAMESPACE):
            subprocess.run(["ip", "netns", "delete", namespace], capture_output=True)
