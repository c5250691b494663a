"""A browser that is told what to do over the DevTools protocol, and what it complained of."""

import base64
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from websockets.sync.client import connect

PATIENCE = 15


class Browser:
    """A headless Chromium with one page."""

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="funcatron-browser-")
        program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
        if not program:
            raise SystemExit("chromium is not installed: scripts/setup.sh installs it")
        # Its sandbox wants a user of its own; the pages here are ours.
        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--remote-debugging-port=0", f"--user-data-dir={self.profile}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = pathlib.Path(self.profile, "DevToolsActivePort")
        until(lambda: port.exists() and port.read_text().count("\n") >= 1, "Chromium did not start")
        number, path = port.read_text().splitlines()[:2]
        self.socket = connect(f"ws://127.0.0.1:{number}{path}", max_size=None)
        self.numbers = itertools.count(1)
        self.complaints = []
        self.requests = []
        self.session = None
        target = self.tell("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.tell("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.tell(f"{domain}.enable")

    def close(self):
        self.socket.close()
        self.process.terminate()
        self.process.wait(PATIENCE)
        shutil.rmtree(self.profile, ignore_errors=True)

    def tell(self, method, **params):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        self.socket.send(json.dumps(message))
        while True:
            heard = json.loads(self.socket.recv(PATIENCE))
            if heard.get("id") == number:
                if "error" in heard:
                    raise AssertionError(f"{method}: {heard['error']}")
                return heard["result"]
            self.hear(heard)

    def hear(self, event):
        method, params = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.complaints.append(" ".join(str(each.get("value", each.get("description"))) for each in params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            entry = params["entry"]
            self.complaints.append(f"{entry['text']} {entry.get('url', '')}")
        elif method == "Page.javascriptDialogOpening":
            self.complaints.append(f"a dialog was opened: {params['message']}")
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])

    def run(self, script):
        """The value of an expression in the page; a promise is waited for."""
        result = self.tell("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True)
        if "exceptionDetails" in result:
            raise AssertionError(f"{script}: {result['exceptionDetails'].get('exception', {}).get('description')}")
        return result["result"].get("value")

    def open(self, url):
        self.tell("Page.navigate", url=url)

    def wait(self, script, patience=PATIENCE):
        """Waits until the expression is true, and gives its value."""
        try:
            return until(lambda: self.run(script), script, patience)
        except AssertionError as error:
            raise AssertionError(f"{error}\nThe page shows:\n{self.run('document.body.innerText')}") from None

    def see(self, text, within="body", patience=PATIENCE):
        """Waits until the page shows the text."""
        place = f"(document.querySelector({json.dumps(within)})?.innerText ?? '')"
        self.wait(f"{place}.includes({json.dumps(text)})", patience)

    def text(self, selector):
        return self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def click(self, selector, text=None):
        """Clicks on the first element of the selector, or the first that has the text."""
        found = (f"[...document.querySelectorAll({json.dumps(selector)})]"
                 f".find((each) => each.innerText.includes({json.dumps(text or '')}) && each.checkVisibility())")
        self.wait(f"Boolean({found})")
        self.run(f"{found}.click()")

    def fill(self, selector, text):
        """Types into a field, as far as its listeners can tell."""
        self.wait(f"Boolean(document.querySelector({json.dumps(selector)}))")
        self.run(f"""(() => {{
            const field = document.querySelector({json.dumps(selector)});
            field.value = {json.dumps(text)};
            field.dispatchEvent(new Event('input', {{ bubbles: true }}));
            field.dispatchEvent(new Event('change', {{ bubbles: true }}));
        }})()""")

    def press(self, key, code=None, text=None):
        for kind in ("keyDown", "keyUp"):
            extra = {"text": text} if text and kind == "keyDown" else {}
            self.tell("Input.dispatchKeyEvent", type=kind, key=key, code=code or key,
                      windowsVirtualKeyCode={"Tab": 9, "Enter": 13, "Escape": 27, " ": 32}.get(key, 0), **extra)

    def look(self, width, height, scheme="light"):
        self.tell("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.tell("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, path):
        data = self.tell("Page.captureScreenshot", format="png")["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))

    def settle(self):
        """Hears what is on its way, and gives what the browser complained of since it was last asked."""
        self.run("new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))")
        complaints, self.complaints = self.complaints, []
        return complaints


def until(attempt, what, patience=PATIENCE):
    """Waits until an attempt succeeds."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        value = attempt()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited {patience} s in vain: {what}")
