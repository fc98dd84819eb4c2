"""Makes docs/pictures/*.png: the real pages, of a real engine, on a small shop's jobs. `make screens` runs it.

It takes a minute or so: the jobs run before they are shown. A picture differs from the one before only where the pages
do, and in times; what is random in an example would make every picture new, so nothing is. The picture of several hosts
needs an empty store on PostgreSQL, which ROTA_SCREENS_STORE names; without one it stays as it is.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

PICTURES = Path(__file__).parent / "pictures"
ROTA = Path(sys.executable).with_name("rota")
DESK, PHONE = {"width": 1200, "height": 760}, {"width": 390, "height": 780}
PASSWORD = "seven small green frogs"  # noqa: S105 -- of an example that lasts a minute
DEADLINE = 60.0
_ADDRESS = re.compile(r"pages and REST on (http://\S+)")
_JOBS = """
jobs:
  backup: {run: "sleep 0.4; echo dumped 412 MB", cron: "30 2 * * *", tags: [nightly], priority: high}
  import: {run: "for n in 1 2 3 4 5 6 7 8; do echo batch $n of 8; sleep 0.1; done", every: 15m, tags: [shop]}
  invoices: {run: "sleep 0.2; echo 31 sent", calendar: "Mon..Fri 09:00", tags: [shop]}
  report: {run: "echo the mail server does not answer >&2; exit 1", cron: "0 6 * * *", retries: 0, tags: [nightly]}
  index: {run: "echo indexing; sleep 600", cron: "0 3 * * 0", tags: [shop]}
  thumbnails: {run: "sleep 0.1", every: {every: 5m, from: end}, overlap: skip}
"""
_ENDING = ("backup", "import", "invoices", "report", "thumbnails")
_GOES_ON = "index"


class Picture(NamedTuple):
    """A page, and how it is shown."""

    name: str
    path: str
    dark: bool = False
    phone: bool = False
    signed_in: bool = True


SHOWN = [
    Picture("web-dashboard", "/"),
    Picture("web-dashboard-phone", "/", dark=True, phone=True),
    Picture("web-jobs", "/jobs"),
    Picture("web-new-job", "/jobs/new"),
    Picture("web-job", "/jobs/import"),
    Picture("web-job-phone", "/jobs/import", phone=True),
    Picture("web-run", "/runs/{run of index}", dark=True),
    Picture("web-runs", "/runs"),
    Picture("web-sign-in", "/sign-in", signed_in=False),
    Picture("web-people", "/people"),
    Picture("web-account-phone", "/account", dark=True, phone=True),
    Picture("web-audit", "/audit", dark=True),
]
"""Every picture; what is in braces is looked up."""


HOSTS_SHOWN = Picture("web-hosts", "/hosts")
_STORE = "ROTA_SCREENS_STORE"
_HOSTS = {
    "db-1": ("--label", "disk=big", "--capacity", "8"),
    "gpu-1": ("--label", "gpu=a100", "--capacity", "4"),
    "gpu-2": ("--label", "gpu=a100", "--capacity", "4"),
}
_JOBS_OF_HOSTS = {"train": "gpu=a100", "index": "db-1"}
"""Jobs that go on while they are shown, and where they may run."""


class Shop:
    """A home with jobs that have run, and the engine that runs them."""

    def __init__(self, folder: Path, store: str = "") -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        if not store:
            (folder / "rota.yaml").write_text(_JOBS)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ROTA_", "XDG_"))}
        self.environment = kept | {"HOME": str(folder), "TZ": "Europe/Berlin", "USER": "shop"}
        if store:
            self.environment |= {"ROTA_STORE": store, "ROTA_HOME": str(folder / "home")}
        self.url = ""

    def rota(self, *words: str, told: str = "") -> str:
        """Run a command of rota's in the shop."""
        done = subprocess.run(
            [ROTA, *words],
            cwd=self.folder,
            env=self.environment,
            input=told,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout

    @contextmanager
    def open(self, *words: str) -> Iterator[Shop]:
        """Serve it until everything has been shown."""
        log = self.folder / "log"
        with log.open("w") as output:
            serving = subprocess.Popen(
                [ROTA, "serve", "--port", "0", *words],
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=output,
            )
        try:
            self.url = until(lambda: _ADDRESS.search(log.read_text()), "it is served")[1]
            yield self
        finally:
            for name in (_GOES_ON, *_JOBS_OF_HOSTS):
                self.rota("cancel", name)
            serving.send_signal(signal.SIGTERM)
            serving.wait(DEADLINE)

    def work(self) -> None:
        """Let every job run a few times, one of them without an end, and let people in."""
        for _ in range(3):
            for name in _ENDING:
                self.rota("run", name, "--wait")
        self.rota("run", _GOES_ON)
        self.let_in()
        self.rota("token", "add", "ann", "deploy", "--scope", "run", "--lasts", "90d")
        until(lambda: '"running"' in self.rota("runs", _GOES_ON, "--json"), f"{_GOES_ON} runs")

    def let_in(self) -> None:
        """Let people in."""
        for name, role in (("ann", "admin"), ("olga", "operator"), ("vera", "viewer")):
            self.rota("user", "add", name, "--role", role, "--password-file", "-", told=PASSWORD + "\n")

    def path_of(self, shown: str) -> str:
        """Return a path with what is in braces looked up."""
        wanted = re.search(r"\{run of (\w+)\}", shown)
        if wanted is None:
            return shown
        found = re.search(r'"id": *"(\w+)"', self.rota("runs", wanted[1], "--limit", "1", "--json"))
        assert found is not None, f"{wanted[1]} has run"
        return shown.replace(wanted[0], found[1])


def until(condition, what: str):  # type: ignore[no-untyped-def]  # it returns what the condition does
    """Wait until something is so."""
    deadline = time.monotonic() + DEADLINE
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise SystemExit(f"after {DEADLINE:g} s it is still not so that {what}")
        time.sleep(0.05)
    return found


def take(shop: Shop, browser: Browser, picture: Picture, session: dict[str, object]) -> None:
    """Take one picture."""
    context = browser.new_context(
        viewport=PHONE if picture.phone else DESK,
        color_scheme="dark" if picture.dark else "light",
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
        storage_state=session if picture.signed_in else None,  # type: ignore[arg-type]  # as the browser gave it
    )
    page = context.new_page()
    answer = page.goto(shop.url + shop.path_of(picture.path))
    if answer is None or not answer.ok:
        raise SystemExit(f"no {picture.name}.png: there is no page {picture.path}")
    settled(page)
    page.screenshot(path=PICTURES / f"{picture.name}.png", animations="disabled", caret="hide")
    context.close()


def settled(page: Page) -> None:
    """Wait until the page is on the clock of its reader, and has its styles."""
    page.wait_for_function("document.readyState === 'complete'")
    page.reload()
    page.wait_for_function("document.readyState === 'complete'")


def signed_in(shop: Shop, context: BrowserContext) -> dict[str, object]:
    """Sign in, and return what the browser keeps of that."""
    page = context.new_page()
    page.goto(f"{shop.url}/sign-in")
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{shop.url}/")
    return dict(context.storage_state())


def take_hosts(browser: Browser, store: str) -> None:
    """Take the picture of several hosts: one of them is drained, and two have something to do."""
    with tempfile.TemporaryDirectory(prefix="hosts-") as folder, ExitStack() as stack:
        hosts = [
            stack.enter_context(Shop(Path(folder) / name, store).open("--host-name", name, *words))
            for name, words in _HOSTS.items()
        ]
        first = hosts[0]
        for name, where in _JOBS_OF_HOSTS.items():
            first.rota("add", name, "--runs-on", where, "--", "sleep", "600")
            first.rota("run", name)
        until(lambda: first.rota("runs", "--state", "running").count("running") == len(_JOBS_OF_HOSTS), "they run")
        first.rota("hosts", "drain", list(_HOSTS)[-1])
        first.let_in()
        take(first, browser, HOSTS_SHOWN, signed_in(first, browser.new_context()))


def main() -> None:
    """Take every picture."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("the pictures are taken with chromium, and there is none on PATH: install it")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="shop-") as folder, Shop(Path(folder)).open() as shop:
        shop.work()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            session = signed_in(shop, browser.new_context())
            for picture in SHOWN:
                take(shop, browser, picture, session)
            if os.environ.get(_STORE):
                take_hosts(browser, os.environ[_STORE])
            else:
                sys.stderr.write(f"{HOSTS_SHOWN.name}.png is as it was: {_STORE} names no store on PostgreSQL\n")
            browser.close()


if __name__ == "__main__":
    main()
