"""Thirty voters on one duel at once: does every vote count, and how long does a phone wait for a page.

Each voter is a thread with a connection for each request, as thirty phones on the same network: the page with its two
files, an open event stream, a vote and the page after it. All begin at once. The listener is the workbench's own, in a
process of its own with a database in a new folder; answers have some 300 words.
"""

from __future__ import annotations

import http.client
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from statistics import median
from urllib.parse import urlsplit

from benchmarks.figure import ROOT, Figure, Plan, Unmeasurable

VOTERS = 30
CHOICES = ("a", "b", "tie", "both_bad")

SERVER = """
import sys, tempfile
from pathlib import Path
from core.arena.votes import Side
from core.classroom.addresses import LOOPBACK
from core.classroom.ballots import Paper
from core.classroom.polls import Classroom
from core.messages import Message
from core.store.database import Database
from core.store.polls import Polls
from core.store.votes import Votes

def side(label):
    said = (Message("user", "Why?"), Message("assistant", "Because the sea is blue. " * 60))
    return Side(label=label, conversation=said)

with tempfile.TemporaryDirectory() as folder:
    database = Database(Path(folder) / "workbench.db")
    classroom = Classroom(Polls(database))
    poll = classroom.open("me", Paper(a=side("one"), b=side("two")), address=LOOPBACK)
    print(poll.url, flush=True)
    sys.stdin.readline()
    classroom.close("me", poll.id)
    print(Votes(database).count("me"), flush=True)
    database.close()
"""


def measure(plan: Plan) -> list[Figure]:
    """Seconds until a page is there; votes that were counted, of those that were cast."""
    waits: list[float] = []
    counted: list[int] = []
    for _ in range(plan.repeat):
        with _listener() as process:
            url = _line(process)
            start = threading.Barrier(VOTERS)
            with ThreadPoolExecutor(VOTERS) as pool:
                for found in pool.map(partial(_voter, url, start), range(VOTERS)):
                    waits += found
            counted.append(int(process.communicate("\n")[0]))
    return [
        Figure(
            name="classroom.wait",
            what=f"a page or a vote of a phone, the slowest of {VOTERS} that come at once",
            value=max(waits),
            unit="s",
            target=("≤", 1.0),
            details={"median": median(waits), "requests": len(waits)},
        ),
        Figure(
            name="classroom.counted",
            what=f"votes counted, of {VOTERS} cast at once",
            value=100 * min(counted) / VOTERS,
            unit="%",
            target=("≥", 100.0),
            details={"runs": counted},
        ),
    ]


@contextmanager
def _listener() -> Iterator[subprocess.Popen[str]]:
    """Says its address, waits for a line, closes the vote, and says how many were counted."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said = process.stdout.readline().strip()
    if not said:
        raise Unmeasurable("the listener does not start")
    return said


def _voter(url: str, start: threading.Barrier, number: int) -> list[float]:
    """Seconds that each request of one phone took."""
    host, path = urlsplit(url).netloc, urlsplit(url).path
    start.wait()
    waits: list[float] = []
    _, cookie = _asked(host, "GET", path, waits)
    for file in ("/phone.css", "/phone.js"):
        _asked(host, "GET", file, waits)
    following = http.client.HTTPConnection(host, timeout=30)
    following.request("GET", f"{path}/events", headers={"Cookie": cookie})
    following.getresponse()
    _asked(host, "POST", path, waits, cookie, f"choice={CHOICES[number % len(CHOICES)]}")
    page, _ = _asked(host, "GET", path, waits, cookie)
    following.close()
    if "chosen" not in page:
        raise Unmeasurable("a vote was not counted")
    return waits


def _asked(
    host: str, method: str, path: str, waits: list[float], cookie: str = "", body: str | None = None
) -> tuple[str, str]:
    """The page and the cookie that came with it."""
    sent = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie, "Connection": "close"}
    began = time.perf_counter()
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.request(method, path, body, sent)
    response = connection.getresponse()
    page = response.read().decode()
    waits.append(time.perf_counter() - began)
    connection.close()
    return page, (response.getheader("set-cookie") or "").split(";")[0]
