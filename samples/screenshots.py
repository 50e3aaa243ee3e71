#!/usr/bin/env python3
# Wingmirror · Apache-2.0
"""Takes screenshots of the page of a running agent, for the guides and for whoever changes the page.

    wingmirror run samples/captures/ingress.pcap --loop --routes samples/istio-shop &
    python3 samples/screenshots.py http://127.0.0.1:9646 /tmp/screenshots

Needs Chromium and Playwright (`apt-get install chromium`, `pip install playwright`); nothing is downloaded.
"""

import argparse
import pathlib
import shutil
import sys
import tempfile

from playwright.sync_api import sync_playwright

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]

# Name, width, height, colour scheme.
SCREENS = [
    ("desktop", 1280, 860, "light"), ("dark", 1280, 860, "dark"), ("phone", 400, 860, "light"),
    ("wide", 2000, 1100, "light"),
]

VIEWS = ["routes", "unmatched", "exchanges", "shadow", "coverage", "findings", "agent"]


def take(address, folder, screens, views):
    """Opens each view on each screen, and writes `<view>-<screen>.png` into the folder."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        sys.exit("no Chromium found")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
        for name, width, height, scheme in screens:
            context = playwright.chromium.launch_persistent_context(
                f"{profile}/{name}", executable_path=chromium, args=FLAGS, headless=True,
                viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce",
            )
            page = context.new_page()
            for view in views:
                page.goto(f"{address}/#{view}")
                page.wait_for_selector("body[data-link=live] h1")
                if view == "route":
                    page.goto(f"{address}/#routes")
                    page.locator("tr[data-route] a").first.click()
                    page.wait_for_selector(".columns svg.chart, .columns .empty")
                page.wait_for_timeout(1200)
                page.screenshot(path=folder / f"{view}-{name}.png", full_page=True)
            context.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address", help="where the agent listens, such as http://127.0.0.1:9646")
    parser.add_argument("folder", type=pathlib.Path, help="where the pictures go")
    parser.add_argument("--screen", action="append", choices=[screen[0] for screen in SCREENS], help="only this one")
    parser.add_argument("--view", action="append", choices=VIEWS + ["route"], help="only this one")
    arguments = parser.parse_args()
    screens = [screen for screen in SCREENS if not arguments.screen or screen[0] in arguments.screen]
    take(arguments.address.rstrip("/"), arguments.folder, screens, arguments.view or VIEWS + ["route"])


if __name__ == "__main__":
    main()
