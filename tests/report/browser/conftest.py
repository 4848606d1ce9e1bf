"""A real browser, driven through its debugging pipe: no package, no port, no network."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--force-device-scale-factor=1",
    "--remote-debugging-pipe",
)
SECONDS = 60.0


class BrowserGoneError(Exception):
    """It ended, or does not answer."""


class Browser:
    """Chromium; its messages are JSON, each ended by a zero byte, on file descriptors 3 and 4."""

    def __init__(self, program: str, profile: Path) -> None:
        theirs, self._write = os.pipe()
        self._read, theirs_too = os.pipe()

        def pipes() -> None:  # away first: 3 or 4 may be one of the four
            one, two = os.dup(theirs), os.dup(theirs_too)
            os.dup2(one, 3)
            os.dup2(two, 4)

        command = [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        with (profile / "stderr").open("wb") as said:
            self._process = subprocess.Popen(
                command, stdout=said, stderr=said, close_fds=False, preexec_fn=pipes
            )
        os.close(theirs)
        os.close(theirs_too)
        self._left = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Send a command and wait for its answer; events that come meanwhile are kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            found = self._next()
            if found.get("id") == self._number:
                assert "error" not in found, f"{method}: {found['error']}"
                return found["result"]
            self.events.append(found)

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + SECONDS
        while b"\0" not in self._left:
            ready, _, _ = select.select([self._read], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                raise BrowserGoneError("the browser does not answer")
            part = os.read(self._read, 1 << 20)
            if not part:
                raise BrowserGoneError("the browser has ended")
            self._left += part
        line, self._left = self._left.split(b"\0", 1)
        return json.loads(line)

    def close(self) -> None:
        """End it."""
        try:
            self.call("Browser.close")
        finally:
            self.abandon()

    def abandon(self) -> None:
        """End it where it may have ended, or hang."""
        os.close(self._write)
        os.close(self._read)
        try:
            self._process.wait(SECONDS / 6)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Tab:
    """One page, opened; what a reader does to it, and what it then shows."""

    def __init__(self, browser: Browser, file: Path, *, dark: bool, size: tuple[int, int]) -> None:
        self._browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        found = browser.call("Target.attachToTarget", targetId=target, flatten=True)
        self._target, self._session = target, found["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.resize(*size)
        self.call("Page.navigate", url=file.absolute().as_uri())
        self.until("document.readyState === 'complete'")
        self.call("Page.bringToFront")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """A command of the protocol."""
        return self._browser.call(method, self._session, **params)

    def resize(self, width: int, height: int) -> None:
        """The window's inside, in pixels."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **metrics)

    def value(self, expression: str) -> Any:
        """What an expression gives."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait until an expression holds."""
        end = time.monotonic() + SECONDS / 4
        while not self.value(expression):
            assert time.monotonic() < end, f"never true: {expression}"
            time.sleep(0.03)

    def text(self, selector: str) -> str:
        """What a reader sees of an element; hidden text too."""
        return self.value(f"document.querySelector({selector!r})?.textContent ?? ''")

    def move(self, x: float, y: float) -> None:
        """The pointer, to a place in the window."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, x: float, y: float) -> None:
        """A click of the left button."""
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def click_on(self, selector: str) -> None:
        """A click into the middle of an element."""
        self.click(*self.middle(selector))

    def middle(self, selector: str) -> tuple[float, float]:
        """Of an element, scrolled into the window."""
        found = self.value(
            f"(() => {{ const e = document.querySelector({selector!r}); "
            "e.scrollIntoView({block: 'center', behavior: 'instant'}); "
            "const r = e.getBoundingClientRect(); "
            "return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        return found[0], found[1]

    def press(self, key: str) -> None:
        """A key by its name: ``Tab``, ``Enter``, ``ArrowRight``, …"""
        code = {"Tab": 9, "Enter": 13, "Escape": 27, "End": 35, "Home": 36}
        code |= {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, " ": 32}
        text = {"text": "\r"} if key == "Enter" else {"text": " "} if key == " " else {}
        for kind in ("keyDown", "keyUp"):
            said = {"windowsVirtualKeyCode": code[key], **(text if kind == "keyDown" else {})}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, **said)

    def screenshot(self, file: Path | None = None, whole: bool = False) -> bytes:
        """A PNG of the window, or of the whole page."""
        found = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        png = base64.b64decode(found["data"])
        if file is not None:
            file.write_bytes(png)
        return png

    def pdf(self) -> bytes:
        """The page as it is printed."""
        found = self.call("Page.printToPDF", printBackground=False)
        return base64.b64decode(found["data"])

    def complaints(self) -> list[str]:
        """Errors and warnings of the console, and of the page's own code."""
        self.value("1")  # what was said before it is here
        found = []
        for event in self._mine():
            method, params = event["method"], event["params"]
            if method == "Runtime.exceptionThrown":
                details = params["exceptionDetails"]
                said = details.get("exception", {}).get("description", "")
                found.append(f"{said or details['text']}: {details.get('url', '')}")
            elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
                found.append(json.dumps(params["args"])[:500])
            elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
                found.append(json.dumps(params["entry"])[:500])
        return found

    def requests(self) -> list[str]:
        """Addresses that were asked for."""
        self.value("1")
        sent = [e for e in self._mine() if e["method"] == "Network.requestWillBeSent"]
        return [e["params"]["request"]["url"] for e in sent]

    def _mine(self) -> list[dict[str, Any]]:
        return [e for e in self._browser.events if e.get("sessionId") == self._session]

    def close(self) -> None:
        """Of this tab alone."""
        self._browser.call("Target.closeTarget", targetId=self._target)


def starting(program: str | None, profile: Path) -> Browser:
    """A browser that answers; where there is none the test is skipped, with the reason."""
    if program is None:
        pytest.skip(f"needs a browser, one of {', '.join(BROWSERS)} on PATH")
    try:
        found = Browser(program, profile)
    except OSError as error:
        pytest.skip(f"{program} cannot start: {error}")
    try:
        found.call("Browser.getVersion")
    except (BrowserGoneError, BrokenPipeError) as error:
        found.abandon()
        said = (profile / "stderr").read_text("utf-8", "replace").strip().splitlines()
        pytest.skip(f"{program} cannot start: {said[-1] if said else error}")
    return found


@pytest.fixture(scope="session")
def start_browser() -> Callable[[str | None, Path], Browser]:
    """Program, folder of its profile -> a browser; see ``starting``."""
    return starting


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One for all tests; where there is none, or it cannot start, they are skipped."""
    program = next((p for name in BROWSERS if (p := shutil.which(name))), None)
    found = starting(program, tmp_path_factory.mktemp("profile"))
    try:
        yield found
    finally:
        found.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Tab]]:
    """File -> a tab with it: light, 1,200 by 900 pixels unless said otherwise."""
    opened = []

    def opening(file: Path, *, dark: bool = False, size: tuple[int, int] = (1200, 900)) -> Tab:
        opened.append(Tab(browser, file, dark=dark, size=size))
        return opened[-1]

    yield opening
    for tab in opened:
        tab.close()
