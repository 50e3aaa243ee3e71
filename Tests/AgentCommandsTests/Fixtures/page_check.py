#!/usr/bin/env python3
# Wingmirror · Apache-2.0
"""Drives the page of an agent in Chromium, as somebody would who looks for what is wrong, and says what does not hold.

    page_check.py AGENT SAMPLES [--pictures FOLDER]

AGENT is the program, SAMPLES the folder of that name. The agent reads the sample capture and a savefile made here, whose
requests carry markup, control characters and text that runs backwards. Ends with 1 when something does not hold, and with
77 when Chromium or Playwright is missing.
"""

import argparse
import json
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

try:
    from playwright.sync_api import sync_playwright
except ImportError:
    print("Playwright is not installed")
    sys.exit(77)

try:
    import axe_playwright_python

    AXE = pathlib.Path(axe_playwright_python.__file__).parent / "axe.min.js"
except ImportError:
    AXE = None

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]

# For what must come sooner or later, in milliseconds: machines that test may have other work.
PATIENCE = 120_000

MARKUP = '/products/<img/src=x/onerror=alert(1)>"\'&amp;<script>alert(2)</script>'
HOSTILE = [
    (MARKUP, b"<b>bold</b>"),
    ("/orders/javascript:alert(3)", b"\xc2\x85 \xe2\x80\xae backwards \xe2\x80\x8b \xff\xfe"),
    ("/<svg/onload=alert(4)>", b"</td></table><script>alert(5)</script>"),
]


# The savefile


def segment(source, target, sequence, acknowledgement, flags, payload=b""):
    """A TCP segment in an IPv4 packet; checksums are left to nobody."""
    tcp = struct.pack("!HHIIBBHHH", source[1], target[1], sequence, acknowledgement, 5 << 4, flags, 65535, 0, 0)
    total = 20 + len(tcp) + len(payload)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, total, 0, 0, 64, 6, 0, bytes(source[0]), bytes(target[0]))
    return ip + tcp + payload


def savefile(path, time):
    """Writes one connection for each hostile request, in link type RAW."""
    records, server = [], ((10, 244, 1, 10), 8080)
    for number, (target, value) in enumerate(HOSTILE):
        client = ((198, 51, 100, 200), 40000 + number)
        request = b"GET " + target.encode() + b" HTTP/1.1\r\nHost: shop.example.com\r\nX-Note: " + value + b"\r\n\r\n"
        response = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\nX-Back: " + value + b"\r\n\r\n"
        records += [
            segment(client, server, 100, 0, 0x02), segment(server, client, 900, 101, 0x12),
            segment(client, server, 101, 901, 0x10), segment(client, server, 101, 901, 0x18, request),
            segment(server, client, 901, 101 + len(request), 0x18, response),
            segment(client, server, 101 + len(request), 901 + len(response), 0x11),
            segment(server, client, 901 + len(response), 102 + len(request), 0x11),
        ]
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for place, packet in enumerate(records):
            file.write(struct.pack("<IIII", time, place * 1000, len(packet), len(packet)) + packet)


# The checks


class Check:
    """What was looked at, and what did not hold."""

    def __init__(self, page, address, pictures):
        self.page, self.address, self.pictures = page, address, pictures
        self.failures, self.complaints = [], []
        page.on("console", lambda message: message.type in ("error", "warning") and self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (self.complaints.append("a dialog: " + dialog.message), dialog.dismiss()))
        page.add_init_script(
            "addEventListener('securitypolicyviolation', (event) => console.error('policy: ' + event.violatedDirective))"
        )

    def holds(self, claim, condition):
        if not condition:
            self.failures.append(claim)

    def picture(self, name):
        if self.pictures:
            self.page.screenshot(path=self.pictures / f"{name}.png", full_page=True)

    def run(self):
        for part in [
            self.routes, self.filter, self.route, self.unmatched, self.form, self.exchanges, self.packets, self.times, self.links, self.others, self.headline, self.truths,
            self.commands, self.emptiness, self.bounds, self.explanation, self.verdicts, self.pause, self.keyboard, self.narrow, self.accessible, self.lost,
        ]:
            try:
                part()
            except Exception as error:  # A part that cannot go on must not hide what the others find.
                # What was waited for stands in the lines below the first.
                self.failures.append(f"{part.__name__}: {' '.join(str(error).split())[:400]}")
        self.holds(f"no complaint in the console: {self.complaints}", not self.complaints)

    def open(self, view=""):
        """Goes to the view with this address and waits until it is drawn, so that nothing is read off the one before."""
        self.page.goto(self.address + (f"/#{view}" if view else ""))
        self.drawn()

    def drawn(self):
        address = self.page.evaluate("location.hash")
        self.page.wait_for_selector(f"#main[data-address='{address}']:not([aria-busy])")

    def names(self):
        return self.page.locator("tr[data-route] .route-name a").all_inner_texts()

    def routes(self):
        page = self.page
        self.open()
        page.wait_for_selector("body[data-link=ended]")
        page.wait_for_selector("tr[data-route]")
        self.holds("both routes are listed", sorted(self.names()) == ["default/order-vs", "default/product-vs"])
        for order in ["ascending", "descending"]:
            page.locator("th button[data-key=route]").click()
            self.holds(f"the head says {order}", page.locator(f"th[aria-sort={order}]").count() == 1)
            self.holds(f"rows are {order}", self.names() == sorted(self.names(), reverse=order == "descending"))
        self.holds("the order is in the address", "sort=route" in page.url)
        self.picture("routes")

    def filter(self):
        page = self.page
        page.locator("#filter").fill("orders")
        self.holds("a filter leaves what fits", self.names() == ["default/order-vs"])
        self.holds("the filter is in the address", "filter=orders" in page.url)
        page.reload()
        page.wait_for_selector("tr[data-route]")
        self.holds("the address alone shows the same", self.names() == ["default/order-vs"])
        page.locator("#filter").fill("nothing like it")
        self.holds("no route says so", page.get_by_text("No route fits the filter").is_visible())
        page.locator("#filter").fill("")

    def route(self):
        page = self.page
        page.locator("tr[data-route] a", has_text="default/product-vs").click()
        page.wait_for_selector("svg.chart rect")
        self.holds("the title names the route", "default/product-vs" in page.title())
        # That the title never takes the focus ends the check by its time limit.
        # Not by a function, which would be evaluated in the page again and again: its policy forbids that.
        page.wait_for_selector("h1:focus")
        page.evaluate("async () => { shownView.text = null; await refresh(false); }")
        self.holds("the title keeps the focus when an event draws the view again", page.locator("h1:focus").count() == 1)
        page.evaluate("async () => { document.activeElement.blur(); shownView.titleIsDue = true; refresh(true); await refresh(false); }")
        # The title takes the focus though an event overtakes what draws it; a tick may overtake both, so it is waited for.
        page.wait_for_selector("h1:focus")
        self.holds("earlier routes say why they lost", page.get_by_text("the path is not one that begins with").count() > 0)
        self.holds("charts have words", page.locator("svg.chart[aria-label]").count() == 2)
        self.holds("markup in a path is text", page.get_by_text("onerror=alert(1)").count() > 0)
        self.holds("markup makes no element", page.locator("main img, main script, main b").count() == 0)
        page.get_by_role("link", name="30 min").click()
        page.wait_for_selector(".segments a[aria-current]:text('30 min')")
        self.drawn()
        recent = page.locator("section.panel", has=page.get_by_role("heading", name="Recent requests"))
        recent.locator("tr.open-row:not(:has-text('not kept')) .opener").first.click()
        self.holds("an exchange opens to its fields", page.get_by_text("Request headers").first.is_visible())
        self.picture("route")

    def unmatched(self):
        page = self.page
        self.open("unmatched")
        page.wait_for_selector(".opener")
        page.locator("tr.open-row", has_text="onload=alert(4)").locator(".opener").first.click()
        self.holds("markup in a field is text", page.get_by_text("</td></table><script>alert(5)</script>").count() > 0)
        page.get_by_role("button", name="Explain this request").first.click()
        page.wait_for_selector(".explanation")
        said = page.locator(".explanation").inner_text()
        self.holds("an unmatched request is explained", "No route takes it" in said and "does not" in said)
        groups = page.locator("table.groups")
        self.holds("kinds of requests have their share", groups.get_by_text("%").count() > 0)
        self.holds("identifiers are left out of kinds", "/…" in groups.inner_text() or "*" in groups.inner_text())
        self.holds("the nearest rule is named", groups.get_by_text("Nearest rule").count() > 0)
        self.picture("unmatched")

    def form(self):
        page = self.page
        self.open("unmatched")
        form = page.locator("#explain-form")
        form.locator("[name=url]").fill("http://shop.example.com/products/1")
        form.get_by_role("button", name="Explain").click()
        page.wait_for_selector(".explanation .took")
        form.locator("[name=url]").fill("ftp://nonsense<b>")
        form.get_by_role("button", name="Explain").click()
        page.wait_for_selector("text=expected a URL")
        # The browser itself notes that the answer was 400, which is what was asked for.
        self.complaints = [complaint for complaint in self.complaints if "status of 400" not in complaint]

    def exchanges(self):
        page = self.page
        self.open("exchanges?kind=failed")
        page.locator("tr.open-row", has_text="javascript:alert(3)").locator(".opener").click()
        shown = page.locator("tr.inner:not([hidden])").inner_text()
        self.holds("control characters are made visible", all(mark in shown for mark in ["⟨0085⟩", "⟨202E⟩", "⟨200B⟩"]))
        self.holds("what is no text is shown as its bytes", "\\x" in shown and "\ufffd" not in shown)
        self.open("exchanges?kind=routed")
        page.wait_for_selector("tr.open-row")
        self.holds("credentials are taken out", "session=" not in page.content())
        lines = page.locator("#main td.tight.wide-only .wire").evaluate_all(
            "all => all.map((cell) => new Set([...cell.getClientRects()].map((box) => box.top)).size)"
        )
        self.holds("a client's address stays on one line", lines and max(lines) == 1)
        self.open("exchanges?status=4xx")
        page.wait_for_selector(".segments a[aria-current]:text('4xx')")
        page.wait_for_selector("tr.open-row")
        statuses = page.locator("tr.open-row .status").all_inner_texts()
        self.holds("only the status that was asked for is shown", statuses and all(text[0] == "4" for text in statuses))
        page.locator("[name=path]").fill("/rob")
        page.locator("[name=method]").fill("get")
        page.get_by_role("button", name="Show", exact=True).click()
        page.wait_for_url(re.compile("#.*path=.*method=get"))
        self.drawn()
        paths = page.locator(".request-line").all_inner_texts()
        self.holds("only the path that was asked for is shown", paths and all("/rob" in path for path in paths))
        page.locator(".opener").first.click()
        page.get_by_text("As a curl command").first.click()
        self.holds("a request can be sent again", page.get_by_text("curl -sS").first.is_visible())
        with page.expect_download() as download:
            page.get_by_role("button", name="Save these as HAR").click()
        saved = json.loads(pathlib.Path(download.value.path()).read_text())
        entries = saved["log"]["entries"]
        self.holds("requests are saved as an archive", download.value.suggested_filename == "requests.har" and saved["log"]["version"] == "1.2")
        self.holds("what is shown is saved", entries and all("/rob" in entry["request"]["url"] for entry in entries))
        self.holds("an archive's times add up", all(
            abs(entry["time"] - sum(entry["timings"].values())) < 0.001 and entry["response"]["status"] // 100 == 4 for entry in entries))
        trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        found = page.evaluate("(trace) => traceLink({ fields: [['Traceparent', `00-${trace}-00f067aa0ba902b7-01`]] }).firstChild.href", trace)
        self.holds(f"a trace is linked to: {found}", found == f"https://traces.example/{trace}")
        self.holds("what is no trace is not", page.evaluate("traceLink({ fields: [['traceparent', 'javascript:alert(1)']] })") is None)

    def packets(self):
        """The packets of a request's connection are saved where the agent keeps any; where it does not, the page says why."""
        page = self.page
        self.open("exchanges?kind=routed")
        page.wait_for_selector("tr.open-row")
        page.locator(".opener[aria-expanded=false]").first.click()
        with page.expect_download() as download:
            page.locator("tr.inner:not([hidden]) .save-packets").first.click()
        name = re.fullmatch(r"connection-(\d+)\.pcap", download.value.suggested_filename)
        saved = pathlib.Path(download.value.path()).read_bytes()
        self.holds("packets are saved as a pcap file with nanoseconds", name and struct.unpack("<I", saved[:4])[0] == 0xA1B23C4D)
        self.holds("there are packets in it", len(saved) > 24 + 16)
        note = page.evaluate(
            "async (number) => (await fetch(`api/v1/packets?connection=${number}`)).headers.get('wingmirror-note')", name and name[1]
        )
        self.holds(f"what was saved is said: {note}", re.match(r"\d+ packets? from \d{4}-", note or ""))
        said = page.evaluate("""() => {
            const status = link.latest.status, kept = status.keptPackets;
            status.keptPackets = null;
            const text = packetsPart({ connection: 1 }).textContent;
            status.keptPackets = kept;
            return text;
        }""")
        self.holds(f"an agent that keeps none says which setting does: {said}", "capture.keep.bytes" in said)

    def times(self):
        """Times are UTC until somebody wants those of the place, and the choice is remembered."""
        page = self.page
        self.open("exchanges?kind=routed")
        before = page.locator(".opener").first.inner_text()
        page.get_by_role("button", name="Show local time").click()
        self.drawn()
        page.wait_for_selector("text=Times are local")
        # The browser is five and a half hours ahead.
        minutes = lambda text: int(text[:2]) * 60 + int(text[3:5])
        after = page.locator(".opener").first.inner_text()
        self.holds(f"times are local: {before}, {after}", (minutes(after) - minutes(before)) % 1440 == 330)
        page.reload()
        page.wait_for_selector("text=Times are local")
        page.locator(".opener").first.click()
        self.holds("an exchange has both times", re.search(r"T\d\d:\d\d:\d\d\.\d+Z \(.* here\)", page.locator("tr.inner:not([hidden])").inner_text()))
        page.get_by_role("button", name="Show UTC").click()
        self.drawn()
        page.wait_for_selector("text=Times are UTC")

    def links(self):
        page = self.page
        self.open("routes")
        # A click could fall between two drawings of the table.
        self.open(page.locator("tr[data-route] a", has_text="default/product-vs").first.get_attribute("href").removeprefix("#"))
        target = page.get_by_role("link", name="Dashboard").get_attribute("href")
        self.holds(f"a route leads to its dashboard: {target}", target.startswith(
            "https://grafana.example/d/wingmirror-route-detail?var-namespace=default&var-virtualservice=product-vs&var-route="))
        self.open("agent")
        self.holds("the agent leads to the runbooks", page.get_by_role("link", name="Runbooks").get_attribute("href") == "https://git.example/Runbooks")

    def others(self):
        page = self.page
        for view, text in [
            ("shadow", "Mirroring is off"), ("coverage", "Route coverage"), ("findings", "Nothing to report"),
            ("agent", "Configuration in force"),
        ]:
            self.open(view)
            page.get_by_text(text).first.wait_for()
            self.holds(f"{view} has one title", page.locator("h1").count() == 1)
            self.picture(view)
        page.get_by_text("What was captured, and what cannot be read").click()
        page.locator("#truth-detail").get_by_text("ingress.pcap").wait_for()

    def headline(self):
        """The route that most failures are of is named, if they are a share of all that is worth a word."""
        self.open("routes")
        show = """(requests) => {
            const route = (id, windowRequests, errorShare) => [id, { id, object: `shop/${id}`, route: "pay", windowRequests, errorShare }];
            const held = routes.byID;
            routes.byID = new Map([route("idle", 0, null), route("busy", 90, 0.05), route("worst", 10, 0.9)]);
            truth.showWorst("truth-failing", "failures", (route) => route.errorShare, requests);
            routes.byID = held;
            const element = document.getElementById("truth-failing");
            return element.hidden ? "" : element.textContent;
        }"""
        said = self.page.evaluate(show, 100)
        self.holds(f"the worst route is named: {said}", said == "Most failures: shop/worst pay, 90.0\u00a0% of its requests.")
        self.holds("few failures are no headline", self.page.evaluate(show, 1000) == "")
        self.holds("one of which hardly an answer was seen is not", self.page.evaluate(show.replace('pay", windowRequests,', 'pay", windowUnseen: windowRequests - 1, windowRequests,'), 100) == "")

    def truths(self):
        """The headline says what is so: failures without a route, answers or requests that were not seen, and causes that are known."""
        say = """(parts) => {
            const held = routes.byID, { visibility, status } = structuredClone(link.latest);
            routes.byID = new Map((parts.routes ?? []).map((route, id) => [id, { id, object: "shop/a", route: "pay", ...route }]));
            Object.assign(visibility, { windowSeconds: 60, requestsPerSecond: 0, answersNotSeenShare: 0, opaque: [] }, parts.visibility);
            Object.assign(visibility.now, { lostPackets: 0, gaps: 0, answersAlone: 0 }, parts.now);
            Object.assign(visibility.sinceStart, parts.sinceStart);
            Object.assign(status, { gatewayNotices: [] }, parts.status);
            const changes = { ...link.latest, unmatchedPerSecond: {}, unmatchedAnswers: { failures: 0, unseen: 0, served: 0 }, ...parts.changes, visibility, status };
            const said = [truth.traffic(visibility, changes), truth.sentence(visibility, changes), truth.isWhole(visibility, changes)];
            routes.byID = held;
            return said;
        }"""
        route = {"windowRequests": 500, "windowFailures": 0, "windowClientErrors": 0, "windowUnseen": 0}
        second = lambda requests: {"no_match": requests / 60}
        said = self.page.evaluate(say, {"routes": [route], "changes": {"unmatchedPerSecond": second(500), "unmatchedAnswers": {"failures": 1, "unseen": 0, "served": 0}}})
        self.holds(f"a failure without a route is one: {said}", "0.10\u00a0% failed" in said[0])
        unseen = {**route, "windowUnseen": 498}
        said = self.page.evaluate(say, {"routes": [unseen], "visibility": {"requestsPerSecond": 12, "answersNotSeenShare": 0.99},
                                        "changes": {"unmatchedPerSecond": second(220), "unmatchedAnswers": {"failures": 0, "unseen": 220, "served": 0}}})
        self.holds(f"requests alone say nothing of failures: {said}", "how nearly all of them were answered was not seen" in said[0] and "failed" not in said[0])
        self.holds(f"the likely cause is asked for: {said}", said[1].endswith("is one direction filtered out?") and not said[2])
        said = self.page.evaluate(say, {"now": {"answersAlone": 1467}})
        self.holds(f"answers alone are not health: {said}", "1,467 answers whose requests were not seen" in said[0]
                   and "1,467 answers came without their requests; is one direction filtered out?" in said[1] and not said[2])
        said = self.page.evaluate(say, {"status": {"gatewayNotices": ["no request came to a port of the gateway (80)"]}})
        self.holds(f"a notice is a sentence, and no health: {said}", said[1].endswith(" No request came to a port of the gateway (80).") and not said[2])
        problem = "there is no interface eth9 (there are eth0, lo)"
        said = self.page.evaluate(say, {"sinceStart": {"packets": 0}, "status": {"sources": [{"interface": "eth9", "problem": problem}], "capture": {"ended": False}}})
        self.holds(f"a missing interface is the headline: {said}", said[0] == f"Nothing is captured: {problem}.")
        served = "(counts) => { truth.showServed(...counts); const element = document.getElementById('truth-served'); return element.hidden ? '' : element.textContent; }"
        said = self.page.evaluate(served, [500, 505, 508])
        self.holds(f"a table that is not the gateway's is recognised: {said}", said == "500 of 505 requests without a route answered 2xx, so the gateway has routes that these objects lack.")
        self.holds("one 2xx in a hundred is none", self.page.evaluate(served, [5, 505, 508]) == "")
        change = """([latest, before, isGood]) => {
            const status = structuredClone(link.latest.status);
            const entry = (kind, text, details) => ({ time: new Date(Date.parse(status.time) - (kind === "refused" ? 60e3 : 120e3)).toISOString(), kind, text, details });
            status.latestChange = entry("refused", "reload rejected, what was in force stays", ["a.yaml: line 3", "more"]);
            status.latestRoutesChange = entry("routes", "routes changed: shop/a", []);
            status.routes.latestReloadSuccessful = false;
            const place = document.getElementById("truth-change");
            delete place.dataset.time;
            truth.showChange(status);
            return [place.textContent, place.classList.contains("warn-text")];
        }"""
        said = self.page.evaluate(change, [])
        self.holds(f"a refused reload has its reason, and the change before it: {said}", "stays: a.yaml: line 3; at " in said[0] and "routes changed: shop/a" in said[0] and said[1])
        most = """(most) => { truth.showUnmatched(most, 5, 10); return document.getElementById("truth-unmatched").textContent; }"""
        said = self.page.evaluate(most, {"method": "GET", "host": "h", "path": "/product/*", "share": 1, "shareOfAll": 0.5, "firstTime": "2026-11-23T10:00:00Z",
                                         "nearest": "`/products` of shop/a rule 0, if the path began otherwise", "nearestRouteId": "00ff"})
        self.holds(f"what no route takes has its share and the nearest rule: {said}",
                   said == "No route takes GET h/product/*, 50.0\u00a0% of all, since 10:00:00; nearest is /products of shop/a rule 0.")
        figures = self.page.evaluate("[knownFigures({ windowRequests: 100, windowUnseen: 97, p50: 1 }).p50 ?? null, knownFigures({ windowRequests: 100, windowUnseen: 50, p50: 1 }).p50]")
        self.holds(f"three answers of a hundred are no figures: {figures}", figures == [None, 1])
        self.page.evaluate("delete document.getElementById('truth-change').dataset.time; truth.show(link.latest)")

    def commands(self):
        """A request is copied as a command that has no options and no other server of the client's making."""
        line = """(target) => curlCommand({ method: "GET", target, scheme: "http", authority: "shop.example.com",
            fields: [["X-Empty", ""], ["X-Note", "it's \\u001b[1m $HOME \u202e"]] })"""
        note = "it's \x1b[1m $HOME \u202e"
        for target in ["/a?b='c'", "-o/tmp/planted", "http://elsewhere/x", "*", "@/etc/passwd"]:
            text = self.page.evaluate(line, target)
            words = subprocess.run(
                ["bash", "-c", "curl() { for word; do printf '%s\\n' \"$word\"; done; }; " + text], capture_output=True, text=True
            ).stdout.splitlines()
            end = ["--url", f"http://shop.example.com{target}"] if target[0] == "/" else ["--request-target", target, "--url", "http://shop.example.com/"]
            self.holds(f"a shell passes on: {words}", words == [
                "-sS", "--globoff", "--path-as-is", "-H", "X-Empty;", "-H", f"X-Note: {note}", "-H", "User-Agent:", "-H", "Accept:", *end])
            self.holds("a command has no control characters", text.isprintable())

    def emptiness(self):
        """An agent without routes says so, wherever somebody looks."""
        said = self.page.evaluate("""() => {
            const status = { ...link.latest.status, routes: { ...link.latest.status.routes, notice: "/etc/routes: there are no route objects" } };
            const changes = { ...link.latest, status };
            const coverage = coverageView.draw({ list: { routes: [] }, found: { findings: [] }, status });
            return [truth.traffic(changes.visibility, changes), coverage.map((part) => part?.innerText ?? part?.textContent ?? "").join(" ")];
        }""")
        self.holds(f"the headline says that there are no routes: {said[0]}", said[0].startswith("The agent has no routes: /etc/routes: there are no route objects."))
        self.holds(f"coverage says that the table is empty: {said[1]}", "The table is empty" in said[1] and "there are no route objects" in said[1])
        self.holds("nothing is said to be in order", "Every route had requests" not in said[1] and "No findings" not in said[1])

    def bounds(self):
        """Lists of thousands show their first rows, and a filter that finds the others; a long name makes no page wider."""
        said = self.page.evaluate("""() => {
            const findings = Array.from({ length: 5000 }, (_, number) => ({ severity: "warning", object: `VirtualService shop/a${number}`, path: "", code: "shadowed-route", message: "m" }));
            const place = document.createElement("div");
            place.append(...findingsView.draw({ counts: { error: 0, warning: 5000, note: 0 }, findings }));
            const before = [place.querySelectorAll("tbody tr").length, place.querySelectorAll("*").length];
            const input = place.querySelector("input");
            input.value = "a4999";
            input.dispatchEvent(new Event("input"));
            findingsView.filters.clear();
            return [...before, place.querySelectorAll("tbody tr").length];
        }""")
        self.holds(f"long lists are bounded: {said}", said[0] == 250 and said[1] < 5000 and said[2] == 1)
        rows = self.page.evaluate("""async () => {
            const [id] = routes.byID.keys(), data = await ask(`api/v1/routes?route=${id}&window=10m`);
            const findings = Array.from({ length: 300 }, () => ({ severity: "note", object: "VirtualService shop/a", path: "", code: "c", message: "m" }));
            const parts = routeView.draw({ id, window: "10m", ...data, findings });
            routeView.filters.clear();
            return parts.find((part) => part?.querySelector("h2")?.textContent === "Findings about it").querySelectorAll("tbody tr").length;
        }""")
        self.holds(f"a route has as many findings as it may, and shows the first: {rows}", rows == 250)
        page = self.page
        self.open("exchanges")
        page.locator("[name=client]").fill("10.0.0.0/99")
        page.get_by_role("button", name="Show", exact=True).click()
        page.locator("#main [role=alert]").wait_for()
        self.holds("a condition that is refused leaves its form", page.locator("[name=client]").input_value() == "10.0.0.0/99")
        self.complaints = [complaint for complaint in self.complaints if "status of 400" not in complaint]
        self.open()
        page.locator("tr[data-route] .route-name a").first.click()
        page.wait_for_selector(".head .tag .wire")
        wide = page.evaluate("""() => {
            document.querySelector(".head .tag .wire").textContent = "a-rule-with-a-long-name".repeat(20);
            return document.documentElement.scrollWidth - document.documentElement.clientWidth;
        }""")
        self.holds(f"a long name does not widen the page: {wide}", wide <= 0)

    def explanation(self):
        """The form's answer has what the command line says: why, the nearest rule, and what is uncertain."""
        said = self.page.evaluate("""() => {
            const answer = { podPorts: [80, 8080], serverPort: 80, hostLookedUp: "", lostHosts: [], considered: [], outcome: "no_route", reason: "no_match",
                causes: ["no rule has the path"], nearest: "`/products` of shop/a rule 0", doubt: "it depends on header x", text: [] };
            return explanation(answer).textContent;
        }""")
        self.holds(f"an explanation has all its steps: {said}", all(text in said for text in [
            "It arrives at the pod's port 80 or 8080, the Gateway server's port 80.",
            "Why: no rule has the path.", "Nearest rule: /products of shop/a rule 0.", "Not certain: it depends on header x."]))

    def verdicts(self):
        """What the answers say comes before the tables of what was sent."""
        titles = self.page.evaluate("""() => shadowView.draw({ mirror: { lanes: [], targets: [], verdicts: [{
            policy: "p", target: "t", verdict: "fail", virtualServiceNamespace: "shop", virtualService: "a", route: "pay",
            pairs: 1, coverage: 1, sampled: 1,
        }] } }).map((part) => part?.querySelector("h1, h2")?.textContent)""")
        self.holds(f"the verdict is first: {titles}", titles == ["Shadow traffic", "t on shop/a pay", "What is sent", None])
        order = self.page.evaluate("""() => shadowView.draw({ mirror: { lanes: [], targets: [], verdicts: ["pass", "inconclusive", "fail", "different"].map((verdict) => ({
            policy: "p", target: verdict, verdict, virtualServiceNamespace: "shop", virtualService: "a", route: "pay", pairs: 1, coverage: 1, sampled: 1,
        })) } }).map((part) => part?.querySelector(".tag")?.textContent).slice(1, 5)""")
        self.holds(f"what is to be looked at is first: {order}", order == ["fail", "different", "inconclusive", "pass"])
        warning = self.page.evaluate("""() => shadowView.draw({ mirror: { lanes: [], targets: [], verdicts: [], warnings: ["mirror policy p matches nothing"] } })[0].textContent""")
        self.holds(f"a policy that matches nothing is named: {warning}", "mirror policy p matches nothing" in warning)
        badge = self.page.evaluate("""() => {
            truth.showVerdicts({ fail: 1, pass: 2 });
            tabCount("shadow", 1, "bad");
            const said = [document.getElementById("truth-shadow").textContent, document.querySelector(".views a[data-view=shadow] .count.bad").textContent];
            truth.showVerdicts({});
            tabCount("shadow", 0, "");
            return said;
        }""")
        self.holds(f"failing verdicts are on every view: {badge}", badge == ["Shadow traffic: 1 of 3 verdicts is FAIL.", "1"])

    def pause(self):
        page = self.page
        self.open("routes")
        page.wait_for_selector("tr[data-route]")
        page.get_by_role("button", name="Pause").click()
        page.wait_for_selector("body[data-link=paused]")
        self.holds("a pause is said", page.get_by_text("Paused at").is_visible())
        page.get_by_role("button", name="Resume").click()
        page.wait_for_selector("body[data-link=ended]")

    def keyboard(self):
        page = self.page
        page.keyboard.press("/")
        self.holds("a slash leads to the filter", page.evaluate("document.activeElement.id") == "filter")
        page.locator("h1").focus()
        page.keyboard.press("p")
        page.wait_for_selector("body[data-link=paused]")
        page.keyboard.press("p")
        page.wait_for_selector("body[data-link=ended]")
        self.open("findings")
        page.locator(".skip").focus()
        page.keyboard.press("Enter")
        self.drawn()
        at = page.evaluate("[document.activeElement.id, location.hash, document.body.dataset.view]")
        self.holds(f"who skips to the content stays in the view: {at}", at == ["main", "#findings", "findings"])

    def narrow(self):
        for width in [360, 400, 2000]:
            self.page.set_viewport_size({"width": width, "height": 800})
            for view in ["routes", "unmatched", "agent"]:
                self.open(view)
                over = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
                self.holds(f"{view} fits {width} pixels, and not {over} more", over <= 0)
                if view == "routes":
                    cut = self.page.evaluate("[...document.querySelectorAll('main .scroll')].map((frame) => frame.scrollWidth - frame.clientWidth)")
                    self.holds(f"no column of the routes is cut off at {width} pixels: {cut}", max(cut) <= 0)
            self.picture(f"width-{width}")
            if width <= 400:
                over = self.page.evaluate("""() => {
                    const lane = { policy: "products", target: "next", active: true, considered: 617, filtered: { integrity: 6 }, notSampled: 0,
                        dropped: { back_off: 46, breaker: 105 }, queued: 0, sent: 4600, answered: 4580, failed: { connect: 2 }, configuredRatio: 1, samplingRatio: 1 };
                    const part = lanePanel([lane, { ...lane, target: "now", baseline: true }]);
                    document.querySelector("main").append(part);
                    const frame = part.querySelector(".scroll"), over = frame.scrollWidth - frame.clientWidth;
                    part.remove();
                    return over;
                }""")
                self.holds(f"what is sent fits {width} pixels, and not {over} more", over <= 0)
            if width == 360:
                continue
            self.open("exchanges?kind=routed")
            self.page.wait_for_selector("tr.open-row")
            cut = self.page.locator(".request-line").evaluate_all(
                "all => all.filter((line) => line.scrollHeight > line.clientHeight + 1).map((line) => line.textContent)"
            )
            self.holds(f"paths are whole at {width} pixels: {cut}", not cut)

    def accessible(self):
        """Every view, wide and narrow, light and dark, with what can be opened opened, as axe sees it."""
        if not AXE:
            print("axe is not installed (pip install axe-playwright-python): contrast, names and roles were not checked")
            return
        script = AXE.read_text()
        for scheme in ["light", "dark"]:
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            for width in [1400, 400]:
                self.page.set_viewport_size({"width": width, "height": 900})
                for view in ["routes", "route", "unmatched", "exchanges", "shadow", "coverage", "findings", "agent"]:
                    self.open("routes" if view == "route" else view)
                    if view == "route":
                        self.page.locator("tr[data-route] a").first.click()
                        self.page.wait_for_selector(".columns svg.chart")
                    for opener in [".opener[aria-expanded=false]", "main details:not([open]) > summary"]:
                        if self.page.locator(opener).count():
                            self.page.locator(opener).first.click()
                    self.page.evaluate(script)
                    # The addresses of views begin with #, so axe takes links to views for links within one.
                    found = self.page.evaluate("axe.run(document, {rules: {'skip-link': {enabled: false}}})")
                    for violation in found["violations"]:
                        where = [node["target"] for node in violation["nodes"][:3]]
                        self.holds(f"{view}, {scheme}, {width} wide: {violation['help']}: {where}", False)
        self.page.emulate_media(color_scheme="light", reduced_motion="no-preference")

    def lost(self):
        """A connection that is gone is plainly said, and so is one that is back."""
        page = self.page
        self.open("routes")
        page.wait_for_selector("body[data-link=ended]")
        page.evaluate("link.close()")
        page.wait_for_selector("body[data-link=stale]", timeout=PATIENCE)
        self.holds("silence is said", page.locator("#banner").is_visible())
        page.evaluate("link.open()")
        page.wait_for_selector("body[data-link=ended]")
        self.holds("what is live again is not complained of", page.locator("#banner").is_hidden())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("agent")
    parser.add_argument("samples", type=pathlib.Path)
    parser.add_argument("--pictures", type=pathlib.Path)
    arguments = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
    if not chromium:
        print("Chromium is not installed")
        sys.exit(77)
    if arguments.pictures:
        arguments.pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        hostile = pathlib.Path(folder) / "hostile.pcap"
        savefile(hostile, 1_795_000_000)
        links = pathlib.Path(folder) / "links.yaml"
        links.write_text(
            'admin: {links: {grafana: "https://grafana.example/", runbooks: "https://git.example/Runbooks", trace: "https://traces.example/{trace}"}}\n'
            "capture: {keep: {bytes: 16MiB, age: 1h}}\n"
        )
        agent = subprocess.Popen(
            [arguments.agent, "run", arguments.samples / "captures/ingress.pcap", hostile, "--pace", "fast",
             "--routes", arguments.samples / "istio", "--gateway-port", "8080:80", "--listen", "127.0.0.1:0", "--config", links],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        try:
            port = next(match[1] for match in map(re.compile(r"listening on 127\.0\.0\.1:(\d+)").search, agent.stderr) if match)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
                check = Check(browser.new_page(timezone_id="Asia/Kolkata"), f"http://127.0.0.1:{port}", arguments.pictures)
                check.page.set_default_timeout(PATIENCE)
                check.run()
                browser.close()
        finally:
            agent.terminate()
            agent.wait()
    for failure in check.failures:
        print(f"does not hold: {failure}")
    sys.exit(1 if check.failures else 0)


if __name__ == "__main__":
    main()
