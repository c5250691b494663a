"""Looks at the console as a person does: a browser, a running platform and real calls.

    check.py FRONT ADMIN TOKEN FUNC PICTURES

FUNC is the folder of the hostile Func that is served.
"""

import json
import pathlib
import sys
import traceback
import urllib.parse
import urllib.request

from browser import Browser, until

FRONT, ADMIN, TOKEN = sys.argv[1:4]
CODE = pathlib.Path(sys.argv[4]) / "index.js"
PICTURES = pathlib.Path(sys.argv[5])
CONSOLE = f"{ADMIN}/console/"
# Each place that a stranger can write to tries to run something: it would say where.
HOSTILE = "<img src=x onerror=\"window.ran='log line'\">"


def ask(url, method="GET", body=None, headers=None, raw=None):
    """A request of a client, or of an operator; `raw` is a body as it is."""
    data = raw if body is None else json.dumps(body).encode()
    headers = {**({"content-type": "application/json"} if data else {}), **(headers or {})}
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def admin(path, method="GET", body=None):
    status, _, content = ask(f"{ADMIN}/api/v1{path}", method, body, {"authorization": f"Bearer {TOKEN}"})
    assert status < 300, f"{method} {path}: {status} {content}"
    return json.loads(content) if content else None


def say(text, level="log", **headers):
    """Has the hostile Func print a line."""
    path = f"/markup/say/{urllib.parse.quote(text, safe='')}?level={level}"
    status, _, content = ask(FRONT + path, "POST", {"name": "ada"}, headers)
    assert status == 200, content


def route_of(base_path):
    return next(route for route in admin("/routes") if route["base_path"] == base_path)


class Views:
    """What each view shows and does. A method is a check; they run in order in one tab."""

    def __init__(self, browser):
        self.browser = browser
        self.markup = route_of("/markup")
        self.sha = self.markup["bundles"][0]["sha"]

    def go(self, address):
        self.browser.run(f"location.hash = {json.dumps(address)}")

    def redeploy(self, old, new):
        """Saves the Func with other code, which `dev` then serves."""
        code = CODE.read_text()
        assert old in code
        CODE.write_text(code.replace(old, new))
        until(lambda: route_of("/markup")["bundles"][0]["sha"] != self.sha, "the other code is served")
        self.sha = route_of("/markup")["bundles"][0]["sha"]

    def a_wrong_token_is_told_and_not_kept(self):
        self.browser.open(CONSOLE)
        self.browser.see("Admin token")
        self.browser.fill("#token", "wrong")
        self.browser.click("button", "Open the console")
        self.browser.see("That token does not open this platform.")
        assert self.browser.run("sessionStorage.length") == 0
        # The browser itself notes that a request was refused.
        noted = self.browser.settle()
        assert noted and all("401" in each for each in noted), noted

    def the_token_of_a_link_is_taken_out_of_the_address(self):
        self.browser.open("about:blank")
        self.browser.open(f"{CONSOLE}#token={urllib.parse.quote(TOKEN)}")
        self.browser.see("Hello in JavaScript")
        assert TOKEN not in self.browser.run("location.href")
        assert not any(TOKEN in url for url in self.browser.requests), "a token was sent in an address"

    def routes_are_shown_with_how_they_do(self):
        for _ in range(20):
            ask(f"{FRONT}/hello/ada")
            ask(f"{FRONT}/markup/fail", "POST")
        row = "[...document.querySelectorAll('.view tbody tr')].find((row) => row.innerText.includes('%s'))"
        self.browser.wait(f"{row % '/hello'}?.innerText.includes('healthy')")
        self.browser.wait(f"{row % '/markup'}?.innerText.includes('failing')")
        self.browser.wait(f"{row % '/hello'}.innerText.includes('100 %')")
        # Figures change where they stand: the row and its link are the same elements afterwards.
        self.browser.run(f"window.row = {row % '/hello'}; window.row.querySelector('a').focus()")
        self.browser.wait("window.row.isConnected && window.row.innerText.includes('idle')", patience=40)
        assert self.browser.run("window.row.contains(document.activeElement)"), "the focus was lost"
        self.browser.see("Markup & <b>co</b>")

    def a_route_is_opened_from_the_list(self):
        self.browser.click(".view tbody a", "Hello in JavaScript")
        self.browser.see("Latest requests")
        self.browser.see("getGreeting")
        self.browser.see("/hello/ada")
        self.browser.see("in the last two minutes, up to ", ".chart-large")

    def log_lines_come_live_and_pass_filters(self):
        self.go("#/logs")
        self.browser.see("live")
        say("one quiet line")
        say("one loud line", "error")
        self.browser.see("one quiet line", ".log")
        self.browser.see("one loud line", ".log")
        self.browser.fill("input[type=search]", "loud")
        self.browser.wait("!document.querySelector('.log').innerText.includes('quiet')")
        self.browser.see("one loud line", ".log")
        self.browser.fill("input[type=search]", "no line has this")
        self.browser.see("passes the filters")
        self.browser.fill("input[type=search]", "")
        self.browser.click("button", "Pause")
        say("said while it was paused")
        self.browser.see("paused, 1 new")
        assert "while it was paused" not in self.browser.text(".log")
        self.browser.click("button", "Resume")
        self.browser.see("said while it was paused", ".log")

    def log_lines_of_one_route_are_shown_and_its_level_is_changed(self):
        self.go(f"#/logs?route={self.markup['id']}")
        self.browser.see("one loud line", ".log")
        self.browser.click("button", "Keep debug for 10 min")
        self.browser.see("kept from debug on")
        assert admin("/levels")[0]["route"] == self.markup["id"]
        self.browser.click("button", "Back to info")
        self.browser.wait("document.body.innerText.includes('Keep debug')")
        assert admin("/levels") == []

    def a_request_is_found_by_its_id(self):
        say("for the story", **{"x-request-id": "story-1"})
        self.go("#/requests")
        self.browser.see("/markup/say/for%20the%20story")
        self.browser.fill("input[name=id]", "story-1")
        self.browser.click("button", "Show its story")
        for words in ("Waited", "Ran", "Processor", "for the story", self.sha[:8], "runner-"):
            self.browser.see(words, ".story")
        self.browser.wait("[...document.querySelectorAll('.facts dd')].some((fact) => fact.innerText === '/markup')")
        self.go("#/requests/nobody-has-this-id")
        self.browser.see("funcatron logs --request-id nobody-has-this-id")

    def dead_letters_are_shown_tried_again_and_thrown_away(self):
        self.go("#/letters")
        self.browser.see("funcatron dlq list")
        for _ in range(2):
            status, _, _ = ask(f"{FRONT}/markup/fail", "POST", headers={"prefer": "respond-async"})
            assert status == 202
        self.browser.see("Markup & <b>co</b>")
        self.browser.click(".view tbody a", "Markup")
        self.browser.see("failed each time")
        self.browser.wait("document.querySelectorAll('.view tbody tr').length === 2")
        self.browser.click("td button", "Try again")
        self.browser.see("1 begun again")
        until(lambda: admin("/dead-letters")[0]["count"] == 2, "it fails again")
        self.browser.click("button", "Throw all away")
        self.browser.see("cannot be brought back", "dialog")
        self.browser.click("dialog button", "Cancel")
        assert admin("/dead-letters")[0]["count"] == 2
        self.browser.click("button", "Throw all away")
        self.browser.press("Escape")
        self.browser.wait("!document.querySelector('dialog')")
        assert admin("/dead-letters")[0]["count"] == 2
        self.browser.click("button", "Throw all away")
        self.browser.click("dialog button", "Throw away")
        self.browser.see("2 thrown away")
        assert admin("/dead-letters") == []

    def api_docs_are_made_from_the_document(self):
        self.go("#/docs")
        self.browser.click(".view tbody a", "Markup")
        self.browser.see("Whatever can be written in a document is text")
        self.browser.click("summary", "/say/{text}")
        self.browser.see("array of Node")
        # The schema is part of itself, and opens as deep as anybody likes.
        for _ in range(4):
            self.browser.run("[...document.querySelectorAll('.operation[open] .schema details:not([open])')].at(-1).open = true")
            self.browser.settle()
        self.browser.wait("document.querySelectorAll('.operation[open] .schema details[open]').length === 4")
        self.browser.fill(".index input", "secret")
        self.browser.wait("[...document.querySelectorAll('.index li')].filter((item) => item.checkVisibility()).length === 1")

    def an_operation_is_tried_out(self):
        self.go(f"#/docs/{self.sha}?open=say")
        self.browser.fill(".try input[name=text]", "tried <b>out</b>")
        self.browser.fill(".try input[name=words]", "one, two")
        begun = json.loads(self.browser.run("document.querySelector('.try textarea').value"))
        assert begun["name"] and "id" not in begun and "parent" not in begun, begun
        self.browser.fill(".try textarea", '{"name": "12345678901234567890", "at": "2026-01-31T12:00:00Z"}')
        self.browser.click(".operation[open] button", "Send")
        self.browser.see("200", ".outcome")
        self.browser.see('"said": "tried <b>out</b>"', ".outcome")
        self.browser.see('"two"', ".outcome")
        self.browser.click(".outcome a", "The story of this request")
        self.browser.see("tried <b>out</b>", ".story")
        # What breaks the document is refused in words.
        self.go(f"#/docs/{self.sha}?open=say")
        self.browser.fill(".try textarea", '{"name": ""}')
        self.browser.click(".operation[open] button", "Send")
        self.browser.see("400", ".outcome")
        self.browser.see("/name", ".outcome")

    def credentials_are_sent_as_the_document_says(self):
        self.go(f"#/docs/{self.sha}?open=secret")
        self.browser.click(".operation[open] button", "Send")
        self.browser.see("401", ".outcome")
        self.browser.fill(".operation[open] .try input[type=password]", "key")
        self.browser.click(".operation[open] button", "Send")
        self.browser.see('"secret": true', ".operation[open] .outcome")

    def captured_calls_are_run_again_and_compared(self):
        self.go(f"#/captures?route={self.markup['id']}")
        self.browser.see("funcatron capture start ROUTE")
        self.browser.wait(f"document.querySelector('.view select').value === '{self.markup['id']}'")
        self.browser.fill(".view form input:not([type=number])", "nonsense")
        self.browser.click("button", "Start")
        self.browser.wait("document.querySelector('.toast')?.innerText.includes('nonsense')")
        assert " at line " not in self.browser.text(".toast"), self.browser.text(".toast")
        # The browser itself notes that a request was refused.
        noted = self.browser.settle()
        assert noted and all("400" in each for each in noted), noted
        self.browser.fill(".view form input:not([type=number])", "")
        self.browser.click("button", "Start")
        self.browser.see("No call was kept yet")
        self.browser.see("running")
        until_when = " until "
        assert until_when in self.browser.text(".where span:nth-child(2)")
        capture = self.browser.run("location.hash.split('/').at(-1)")
        for number in range(5):
            say(f"kept {number}", authorization="Bearer not to be seen")
        status, _, answer = ask(f"{FRONT}/markup/when")
        assert status == 200, answer
        until(lambda: admin(f"/captures/{capture}")["entries"] == 6, "the calls are kept")
        self.browser.click("button", "Read again")
        self.browser.see("/markup/say/kept%204")
        self.browser.click("button", "Stop")
        self.browser.see("stopped")
        # It was to run for longer than it did.
        assert until_when not in self.browser.text(".where span:nth-child(2)"), self.browser.text(".where")
        self.browser.click("button", "Run 6 again")
        self.browser.see("6 of 6 were run again")
        self.browser.see("5 same")
        self.browser.see("1 same")
        self.browser.click(".view tbody a", "/markup/when")
        self.browser.see("What the Func drew from outside")
        self.browser.see("the time: ")
        self.browser.see("random bytes")
        # Who comes back finds what came of it.
        self.go(f"#/captures/{capture}")
        self.browser.see("6 of 6 were run again")
        self.browser.click(".view tbody a", "kept%200")
        self.browser.see("invoke.headers.authorization")
        self.browser.see("What it printed")
        self.browser.see("kept 0", ".story .lines")
        assert "not to be seen" not in self.browser.text("main")

    def what_others_answered_is_shown(self):
        [capture] = admin("/captures")
        _, _, file = ask(f"{ADMIN}/api/v1/captures/{capture['capture']['id']}/export", headers={"authorization": f"Bearer {TOKEN}"})
        header, first = [json.loads(line) for line in file.splitlines()[:2]]
        exchange = {"at_us": 1, "took_us": 2, "method": "POST", "url": "http://prices.test/", "body": {"text": "of what?"},
                    "outcome": {"response": {"status": 200, "headers": [["content-type", "text/plain"]], "body": {"text": HOSTILE}}}}
        first.setdefault("drawn", {"seed": "0" * 64})["calls"] = [{"http": exchange}]
        lines = "".join(json.dumps(line) + "\n" for line in ({**header, "entries": 1}, first))
        _, _, made = ask(f"{ADMIN}/api/v1/captures/import", "POST", headers={
            "authorization": f"Bearer {TOKEN}", "content-type": "application/x-ndjson"}, raw=lines.encode())
        imported = json.loads(made)["capture"]["id"]
        self.go(f"#/captures/{imported}/{first['activation']['id']}")
        self.browser.click("summary", "The request and its answer")
        for words in ("of what?", "text/plain", HOSTILE):
            self.browser.see(words, ".story details")
        admin(f"/captures/{imported}", "DELETE")

    def what_a_replay_prints_is_not_taken_for_a_call(self):
        self.go(f"#/logs?route={self.markup['id']}")
        lines = "[...document.querySelectorAll('.log li')].filter((line) => line.innerText.includes('kept 0'))"
        self.browser.wait(f"{lines}.length === 2")
        marks = self.browser.run(f"{lines}.map((line) => line.querySelector('.badge')?.innerText ?? '')")
        assert marks == ["", "replay"], marks

    def a_bundle_that_answers_otherwise_is_found(self):
        [capture] = admin("/captures")
        self.redeploy("said: params.text", "said: params.text.replace('kept 3', 'lost 3')")
        self.go("#/routes")
        self.go(f"#/captures/{capture['capture']['id']}")
        self.browser.click("button", "Run 6 again")
        self.browser.see("6 of 6 were run again")
        self.browser.see("1 different")
        self.browser.see("4 same")
        self.browser.click("td button", "1 difference")
        self.browser.see("body/said", ".differences")
        self.browser.see("kept 3", ".was")
        self.browser.see("lost 3", ".now")
        self.browser.click("button", "Delete")
        self.browser.click("dialog button", "Delete")
        self.browser.see("No calls are kept yet")

    def a_trial_says_how_it_does(self):
        old = next(bundle["sha"] for bundle in admin("/bundles") if bundle["sha"] != self.sha and "Markup" in bundle["title"])
        trial = {"mirror": 100, "failures_max": 100, "differences_max": 100, "calls_min": 1000}
        deployed = admin("/deployments", "POST", {"sha": old, "weight": 0, "trial": trial})
        until(lambda: say("kept 3") or route_of("/markup")["trials"][0]["different"] > 0, "a copy is answered otherwise")
        self.go(f"#/routes/{self.markup['id']}")
        self.browser.see("answered otherwise", ".facts")
        self.browser.see("trial differs")
        admin("/rollback", "POST", {"to": deployed["deployment"]["number"] - 1})

    def an_address_leads_to_nothing_else(self):
        """What stands in an address is the id of one thing: it cannot name another place of the admin API."""
        target = f"/api/v1/routes/{self.markup['id']}"
        elsewhere = f"..%2froutes%2f{self.markup['id']}%23"
        self.go("#/logs")
        self.browser.see("live")
        begun = len(self.browser.requests)
        for view, what in (("captures", "capture"), ("docs", "bundle"), ("routes", "route"), ("letters", "queue")):
            self.go(f"#/{view}/{elsewhere}")
            self.browser.wait("Boolean(document.querySelector('.problem'))")
            if what != "queue":
                self.browser.see(f"There is no such {what}.")
            self.go(f"#/{view}/..")
            self.browser.see('nothing is called ".."')
        self.go(f"#/logs?route={elsewhere}")
        self.browser.click("button", "Keep debug for 10 min")
        self.browser.wait("Boolean(document.querySelector('.toast.bad'))")
        asked = [urllib.parse.urlsplit(url).path for url in self.browser.requests[begun:]]
        assert target not in asked, asked
        for view in ("__proto__", "constructor", "toString"):
            self.go(f"#/{view}")
            self.browser.wait("document.querySelector('h1').innerText === 'Routes'")
            self.go("#/logs")
            self.browser.wait("document.querySelector('h1').innerText === 'Logs'")
        # The browser itself notes what was refused; nothing else is wrong.
        noted = [each for each in self.browser.settle() if " 40" not in each]
        assert not noted, noted

    def nothing_of_it_ran(self):
        say(HOSTILE, "error")
        ask(f"{FRONT}/markup/%3Cimg%20src=x%20onerror=window.ran='path'%3E")
        address = ["#/routes", f"#/routes/{self.markup['id']}", "#/logs", "#/requests", "#/letters", "#/docs",
                   f"#/docs/{self.sha}", "#/requests/%3Cimg%20src=x%20onerror=window.ran='address'%3E",
                   "#/letters/%3Cimg%20src=x%3E", "#/<img src=x onerror=window.ran='hash'>", "#/docs/%"]
        for each in address:
            self.go(each)
            self.browser.settle()
            self.browser.run("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
            self.browser.settle()
        self.go("#/logs")
        self.browser.see(HOSTILE, ".log")
        # The page has one picture, its own, and no script but its own.
        assert self.browser.run("window.ran") is None, self.browser.run("window.ran")
        assert self.browser.run("document.images.length") == 1
        assert self.browser.run("document.scripts.length") == 1
        assert self.browser.run("document.querySelectorAll('iframe, object, embed, base').length") == 0
        # The letters and documents that there are not were asked for in vain.
        self.browser.complaints = [each for each in self.browser.complaints if " 40" not in each]

    def the_policy_stops_what_would_run(self):
        """The net below the wire: were text taken for HTML, the browser would refuse it."""
        refused = self.browser.run("(() => { try { document.body.innerHTML = '<b>'; } catch (error) { return error.name; } })()")
        assert refused == "TypeError", refused
        self.browser.settle()

    def it_is_used_by_keyboard(self):
        self.go("#/routes")
        self.browser.tell("Page.reload")
        self.browser.see("Hello in JavaScript")
        self.browser.press("Tab")
        assert self.browser.run("document.activeElement.className") == "skip"
        for _ in range(20):
            self.browser.press("Tab")
            if self.browser.run("document.activeElement.textContent") == "Requests":
                break
        self.browser.press("Enter", text="\r")
        self.browser.wait("document.querySelector('h1').innerText === 'Requests'")
        assert self.browser.run("document.activeElement.id") == "main", "the focus did not follow"

    def every_field_and_picture_has_a_name(self):
        nameless = """[...document.querySelectorAll('main input, main select, main textarea, main button, main svg')].filter((each) =>
            !each.labels?.length && !each.getAttribute('aria-label') && !each.innerText?.trim()).map((each) => each.outerHTML)"""
        for each in ("#/routes", "#/logs", "#/requests", f"#/docs/{self.sha}?open=say"):
            self.go(each)
            self.browser.settle()
            assert self.browser.run(nameless) == [], each

    def nothing_is_wider_than_the_window(self):
        views = {"routes": "#/routes", "route": f"#/routes/{self.markup['id']}", "logs": "#/logs", "requests": "#/requests",
                 "request": "#/requests/story-1", "captures": "#/captures", "letters": "#/letters", "bundles": "#/docs", "docs": f"#/docs/{self.sha}?open=say"}
        for width, height in ((1360, 900), (390, 844)):
            for scheme in ("light", "dark"):
                self.browser.look(width, height, scheme)
                for name, address in views.items():
                    self.go(address)
                    self.browser.wait("document.querySelector('.view').childElementCount > 0")
                    until(lambda: "Reading" not in self.browser.text(".view"), "the view is read")
                    if name == "logs":
                        self.browser.see("one loud line", ".log")
                    self.browser.settle()
                    wide = self.browser.run("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                    assert wide <= 0, f"{name} is {wide} pixels wider than {width}"
                    self.browser.picture(PICTURES / f"{name}-{width}-{scheme}.png")

    def who_signs_out_is_out(self):
        self.browser.click("button", "Sign out")
        self.browser.see("Admin token")
        assert self.browser.run("sessionStorage.length") == 0


def main():
    browser = Browser()
    failed = 0
    try:
        browser.look(1360, 900)
        views = Views(browser)
        for name, check in vars(Views).items():
            if name in ("go", "redeploy") or name.startswith("_"):
                continue
            try:
                check(views)
                complaints = browser.settle()
                assert not complaints, f"the browser complained: {complaints}"
                print(f"ok      {name.replace('_', ' ')}")
            except Exception:
                failed += 1
                print(f"FAILED  {name.replace('_', ' ')}\n{traceback.format_exc()}")
                browser.settle()
    finally:
        browser.close()
    sys.exit(1 if failed else 0)


main()
