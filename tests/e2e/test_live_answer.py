"""Live answers in a real browser: they grow while the page is used, survive reloads and lost connections, run nothing.

The demo app (live_demo.py) plays recordings; the server, the component and the browser are the real ones.
"""

from __future__ import annotations

import http.server
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.serving import serve, until

pytestmark = pytest.mark.e2e

DEMO = "tests/e2e/live_demo.py"
ALL_WORDS = [f"w{number}" for number in range(300)]
PATIENCE_MS = 20_000


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    with serve(DEMO) as server:
        yield server.address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 900, "height": 700}, locale="en-GB")
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def ask(page: Page, address: str, scenario: str = "words", **options: object) -> None:
    page.goto(f"{address}?{urlencode({'scenario': scenario, **options})}")
    page.get_by_role("button", name="Ask").click()


def words_in(page: Page) -> list[str]:
    """What the component shows of the answer, word by word."""
    return page.locator(".live-answer .text").inner_text().split()


def wait_for_words(page: Page, count: int) -> None:
    expect(page.locator(".live-answer .text")).to_contain_text(f"w{count} ")


def final_words(page: Page) -> list[str]:
    return page.locator(".st-key-final").inner_text().split()


def schemes(part: Locator) -> list[str]:
    """Of all links in a part of the page: "http", "javascript" …"""
    return [urlsplit(href).scheme for href in part.locator("a[href]").evaluate_all("all => all.map(a => a.href)")]


def followed(page: Page) -> list[str]:
    """Fills with the address of each connection that follows an answer, from now on."""
    addresses: list[str] = []
    page.on("websocket", lambda ws: addresses.append(ws.url) if "/workbench/answers/" in ws.url else None)
    return addresses


def test_grows_while_the_page_is_used_over_one_connection(page: Page, demo: str) -> None:
    connections = followed(page)
    ask(page, demo, every=0.1)
    slider = page.get_by_role("slider")
    for turn in range(1, 4):
        before = len(words_in(page))
        slider.press("ArrowRight")
        expect(page.get_by_text(f"slider {turn} ·")).to_be_visible()
        until(lambda before=before: len(words_in(page)) > before)
        shown = words_in(page)
        assert shown == ALL_WORDS[: len(shown)]
    expect(page.locator(".live-answer .figures")).to_contain_text("tokens/s")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("ended: cancelled")).to_be_visible()
    assert len(connections) == 1
    expect(page.locator(".live-answer")).to_have_count(0)


def test_a_reload_shows_all_so_far_and_goes_on(page: Page, demo: str) -> None:
    ask(page, demo, every=0.02)
    wait_for_words(page, 50)
    page.reload()
    wait_for_words(page, 60)
    assert words_in(page)[:60] == ALL_WORDS[:60]
    expect(page.get_by_text("ended: stop")).to_be_visible()
    assert final_words(page) == ALL_WORDS


def test_a_second_tab_sees_the_same(page: Page, demo: str) -> None:
    ask(page, demo, every=0.02)
    wait_for_words(page, 30)
    second = page.context.new_page()
    second.goto(page.url)
    wait_for_words(second, 40)
    page.close()
    expect(second.get_by_text("ended: stop")).to_be_visible()
    assert final_words(second) == ALL_WORDS


@pytest.mark.parametrize("how", ["button", "keyboard"])
def test_stop_keeps_what_has_come(page: Page, demo: str, how: str) -> None:
    ask(page, demo, every=0.05)
    wait_for_words(page, 10)
    if how == "button":
        page.get_by_role("button", name="Stop").click()
    else:
        page.get_by_label("Text").press("Escape")
        wait_for_words(page, 15)  # while a person types, Escape is not meant for the answer
        page.get_by_label("Text").blur()
        page.keyboard.press("Escape")
    expect(page.get_by_text("ended: cancelled")).to_be_visible()
    words = final_words(page)
    assert 10 < len(words) < 300 and words == ALL_WORDS[: len(words)]


def test_an_error_ends_it_and_keeps_what_has_come(page: Page, demo: str) -> None:
    ask(page, demo, "failing", every=0.01)
    expect(page.get_by_text("ended: The process of Replay ended")).to_be_visible()
    assert final_words(page) == ALL_WORDS[:40]


def test_says_what_it_waits_for(page: Page, demo: str) -> None:
    ask(page, demo, "states")
    status = page.locator(".live-answer .status")
    expect(status).to_contain_text("Loading the model… 40%")
    assert page.get_by_role("progressbar").evaluate("bar => bar.value") == pytest.approx(0.4)
    expect(status).to_contain_text("Place 2 in the queue")
    expect(page.get_by_role("progressbar")).to_be_hidden()
    expect(status).to_have_text("Reading the prompt… 120 of 800 tokens")
    expect(status).to_have_text(re.compile(r"^Reading the prompt… 140 of 800 tokens · ≈ \d+ s to go$"))
    thinking = page.locator(".live-answer details")
    expect(thinking.locator("summary")).to_have_text(re.compile(r"^Thinking… \d+\.\d s$"))
    expect(status).to_be_hidden()
    thinking.locator("summary").click()
    expect(thinking.locator("p")).to_have_text("Let me think.")
    expect(thinking.locator("summary")).to_have_text(re.compile(r"^Thought for \d+\.\d s$"))
    expect(page.get_by_text("ended: stop")).to_be_visible()


def test_names_the_model_that_a_route_chose(page: Page, demo: str) -> None:
    ask(page, demo, "routed")
    chosen = page.locator(".live-answer .routed")
    expect(chosen).to_have_text("Model: <b>First</b>")
    expect(chosen).to_have_text("Model: Second")
    expect(page.locator(".live-answer .status")).to_be_hidden()
    expect(chosen).to_be_visible()
    expect(page.get_by_text("ended: stop")).to_be_visible()


def test_blocks_are_formatted_as_they_finish(page: Page, demo: str) -> None:
    ask(page, demo, "formatted")
    text = page.locator(".live-answer .text")
    expect(text.locator("h1")).to_have_text("A heading")
    expect(text.locator("strong")).to_have_text("bold")
    link = text.get_by_role("link", name="link")
    assert [link.get_attribute(name) for name in ("href", "target", "rel")] == [
        "https://example.org/",
        "_blank",
        "noopener noreferrer",
    ]
    expect(text.locator("ol > li")).to_have_text(["one", "two"])
    expect(text.locator("pre code").first).to_have_text('print("<b>not bold</b>")')
    expect(text.locator("td")).to_have_text(["1", "2"])
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("ended: cancelled")).to_be_visible()


def test_a_lost_connection_is_taken_up_where_it_was(page: Page, demo: str) -> None:
    with Switch(demo) as switch:
        ask(page, switch.address, every=0.02)
        wait_for_words(page, 40)
        switch.cut(seconds=1.0)
        expect(page.locator(".live-answer .notice")).to_contain_text("The connection is lost")
        wait_for_words(page, 150)
        expect(page.locator(".live-answer .notice")).to_be_empty()
        assert words_in(page)[:150] == ALL_WORDS[:150]
        expect(page.get_by_text("ended: stop")).to_be_visible()
        assert final_words(page) == ALL_WORDS


def test_where_it_cannot_be_followed_it_is_drawn_all_the_same(page: Page, demo: str) -> None:
    page.route_web_socket(lambda url: "/workbench/answers/" in url, lambda ws: ws.close())
    ask(page, demo, every=0.02)
    expect(page.get_by_text("cannot be followed live")).to_be_visible()
    expect(page.get_by_text("w60 ")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("ended: cancelled")).to_be_visible()


def test_an_answer_the_server_has_forgotten_asks_for_a_rerun(page: Page, demo: str) -> None:
    page.route_web_socket(lambda url: "/workbench/answers/" in url, lambda ws: ws.close(code=4404))
    ask(page, demo, every=0.05)
    expect(page.get_by_text("runs 3")).to_be_visible()  # the first, the click's, the component's


def test_below_a_base_path(page: Page) -> None:
    with serve(DEMO, "--server.baseUrlPath=a/b", base="a/b/") as server:
        ask(page, server.address, every=0.005)
        wait_for_words(page, 20)
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_text("ended: cancelled")).to_be_visible()


def test_follows_the_newest_line_only_for_a_reader_at_the_bottom(page: Page, demo: str) -> None:
    ask(page, demo, every=0.02)
    at = "() => { const main = document.querySelector('[data-testid=stMain]'); return %s }"
    until(lambda: page.evaluate(at % "main.scrollHeight - main.clientHeight > 300"))
    assert page.evaluate(at % "main.scrollHeight - main.clientHeight - main.scrollTop") < 60
    page.evaluate(at % "main.scrollTo(0, 100)")
    seen = len(words_in(page))
    until(lambda: len(words_in(page)) > seen + 40)
    assert page.evaluate(at % "main.scrollTop") == 100
    page.get_by_role("button", name="Stop").click()


def test_hostile_text_runs_nothing_and_fetches_nothing(page: Page, demo: str) -> None:
    with Outside() as outside:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        ask(page, demo, "hostile", every=0.01, outside=outside.host)
        text = page.locator(".live-answer .text")
        expect(text.get_by_role("link", name="an image", exact=True)).to_have_attribute(
            "href", f"http://{outside.host}/markdown.png"
        )
        expect(text).to_contain_text("<script>")
        assert set(schemes(text)) <= {"http", "https", "mailto"}
        expect(page.get_by_text("ended: stop")).to_be_visible()
        expect(page.locator(".st-key-final").get_by_text("The last line.")).to_be_visible()
        expect(page.locator(".st-key-final").get_by_text("let v = vec![1, 2];")).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert page.locator(".st-key-final img").count() == 0
        # Streamlit lets data: pass in a link; browsers open no page from one
        assert set(schemes(page.locator(".st-key-final"))) <= {"http", "https", "mailto", "data"}
        assert page.evaluate("window.ran") is None
        here = urlsplit(demo).netloc
        assert {urlsplit(url).netloc for url in asked if url.startswith(("http", "ws"))} == {here}
        assert outside.asked == []
        assert page.evaluate(f"fetch('http://{outside.host}/', {{mode: 'no-cors'}}).then(() => true)")
        assert outside.asked == ["/"], "the outside could have been reached"


class Outside:
    """A server that stands for the rest of the world, and remembers what it was asked."""

    def __enter__(self) -> Outside:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class Switch:
    """A wire to the server that can be cut: forwards TCP until `cut`, then refuses for a while."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._server = (str(parts.hostname), int(parts.port or 80))
        self._open: list[socket.socket] = []
        self._cut_until = 0.0

    def __enter__(self) -> Switch:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.cut()

    def cut(self, seconds: float = 0.0) -> None:
        self._cut_until = time.monotonic() + seconds
        while self._open:
            end = self._open.pop()
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if time.monotonic() < self._cut_until:
                    near.close()
                    continue
                far = socket.create_connection(self._server)
                self._open += [near, far]
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=self._forward, args=(source, target), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)
