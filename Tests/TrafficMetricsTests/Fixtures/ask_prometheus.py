# Wingmirror · Apache-2.0
"""Serves pages to a real Prometheus, with native histograms and exemplars on, and asks it questions.

Standard input is JSON: {"pages": [{"job", "contentType", "bodies" (base64)}], "interval", "queries": [...], "exemplars": [...],
"increases": [...]}. The first scrape of a job gets its first body, the next the second, and those after the last that one again; an
empty body is an agent that is not there. Prints the results as JSON once each body was scraped: of each of `increases`, a selector,
the increase() of each series from its first sample to its last, so that nothing is extrapolated. Start times are read where this
Prometheus can (2.50 and later). --check tells whether there is a Prometheus.
"""

import base64
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# Seconds: a machine that runs other tests beside this may take many for what is done at once otherwise.
PATIENCE = 300


def serve(pages):
    """Serves each page under the name of its job, on a port that is free; counts in the pages how often they were asked for."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            page = pages[self.path.strip("/")]
            bodies = page["bodies"]
            body = base64.b64decode(bodies[min(page.get("served", 0), len(bodies) - 1)])
            page["served"] = page.get("served", 0) + 1
            self.send_response(200 if body else 503)
            self.send_header("Content-Type", page["contentType"])
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def configuration(pages, port, interval):
    jobs = [
        {
            "job_name": job,
            "metrics_path": "/" + job,
            "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
        }
        for job in pages
    ]
    # JSON is YAML.
    return json.dumps({"global": {"scrape_interval": interval, "scrape_timeout": interval}, "scrape_configs": jobs})


def address(log):
    """Where Prometheus listens, which it says once it does."""
    for _ in range(PATIENCE * 10):
        found = re.search(r'msg="Listening on" address=(\S+)', log.read_text())
        if found:
            return "http://" + found[1]
        time.sleep(0.1)
    raise SystemExit("Prometheus does not listen: " + log.read_text())


def get(base, path, **parameters):
    with urllib.request.urlopen(f"{base}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=PATIENCE) as answer:
        return json.load(answer)["data"]


def wait_for_scrapes(base, pages):
    """The first scrape comes some seconds after the start; a page that is refused never is up."""
    # A body was taken in for certain when the one after it was asked for.
    wanted = {job: len(page["bodies"]) + (len(page["bodies"]) > 1) for job, page in pages.items()}
    for _ in range(PATIENCE * 5 * max(wanted.values())):
        try:
            targets = get(base, "targets")["activeTargets"]
        except OSError:
            # It listens before it answers; until then it says 503, or takes its time.
            time.sleep(0.2)
            continue
        if all(pages[job].get("served", 0) >= count for job, count in wanted.items()):
            if len(targets) == len(pages) and all(target["health"] == "up" for target in targets):
                return
        failed = [target["lastError"] for target in targets if target["health"] == "down"]
        # On a machine that is busy with other tests a scrape may be late; the next one is not.
        if any("deadline" not in error and "503" not in error for error in failed):
            raise SystemExit(f"a page is refused: {failed}")
        time.sleep(0.2)
    raise SystemExit("no scrape")


def reads_start_times():
    """Whether this Prometheus makes a zero of a start time."""
    found = re.search(r"version (\d+)\.(\d+)", subprocess.run(["prometheus", "--version"], capture_output=True, text=True).stdout)
    return bool(found) and tuple(map(int, found.groups())) >= (2, 50)


def increases(base, selector):
    """The increase of each series from its first sample to its last: a range has both its ends (until Prometheus 3, whose range
    lacks its beginning, so that one more millisecond is asked for)."""
    results = []
    for series in get(base, "query", query=f"{selector}[1h]")["result"]:
        labels = series["metric"]
        first, last = series["values"][0][0], series["values"][-1][0]
        matchers = ", ".join(f"{name}={json.dumps(value)}" for name, value in labels.items() if name != "__name__")
        span = round((last - first) * 1000) + (1 if reads_start_times() else 0)
        query = f"increase({labels['__name__']}{{{matchers}}}[{span}ms])"
        answer = get(base, "query", query=query, time=last)["result"]
        results.append({"labels": labels, "value": answer[0]["value"][1] if answer else "0"})
    return results


def main():
    if sys.argv[1:] == ["--check"]:
        sys.exit(0 if shutil.which("prometheus") else 1)
    question = json.load(sys.stdin)
    pages = {page["job"]: page for page in question["pages"]}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "prometheus.yml").write_text(configuration(pages, serve(pages), question["interval"]))
        log = folder / "log"
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                "--web.listen-address=127.0.0.1:0",
                "--enable-feature=native-histograms,exemplar-storage"
                + (",created-timestamp-zero-ingestion" if reads_start_times() else ""),
            ],
            stdout=log.open("w"),
            stderr=subprocess.STDOUT,
        )
        try:
            base = address(log)
            wait_for_scrapes(base, pages)
            queries = [get(base, "query", query=query)["result"] for query in question["queries"]]
            span = {"start": time.time() - 3600, "end": time.time() + 3600}
            exemplars = [get(base, "query_exemplars", query=query, **span) for query in question["exemplars"]]
            grown = [increases(base, selector) for selector in question["increases"]]
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE)
    json.dump(
        {
            "queries": [[{"labels": one["metric"], "value": one["value"][1]} for one in result] for result in queries],
            "increases": grown,
            "readsStartTimes": reads_start_times(),
            "exemplars": [[one for series in result for one in series["exemplars"]] for result in exemplars],
        },
        sys.stdout,
    )


main()
