"""`python -m core chat`: one question, its answer as it comes, and a line of figures.

JSON: {"model", "text", "finish_reason", "usage", "timings"}; `usage` and `timings` are those of core/events.py, by the
names of core/metrics.py; null when Ctrl-C came before anything was known. With a route, `model` is the one that
answered, and "routed" is beside it: {"model_id", "model_name", "reason", "values"}. An answer that failed on its way is
{"error", "message", "hint", "text"}.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from core import route_words
from core.answers import Answer, Answers
from core.cli import remote, terminal
from core.cli.local import OWNER, opened, opened_workbench
from core.errors import WorkbenchError
from core.events import Event, Finished, Loading, Prefill, Queued, Reasoning, Text
from core.messages import ChatRequest, Message, Sampling
from core.metrics import context_fill
from core.models.base import ChatModel
from core.models.routes import is_route

STOP_LIMIT_S = 2.0


def run(args: argparse.Namespace) -> int:
    """Asks. Exit code 1 when the answer failed or was stopped with Ctrl-C; what had come is written all the same."""
    request = _request(args)
    with _model(args) as model:
        answer = Answers().start(model, request)
        interrupted = follow(answer, quiet=args.json)
    if answer.routed is not None and not args.json:
        terminal.say(f"{answer.routed.model_name}: {route_words.why(answer.routed, 'en')}")
    if answer.error is not None and not interrupted:
        if not (args.json and answer.text):
            raise answer.error
        terminal.write_json(terminal.described(answer.error) | {"text": answer.text})
        return 1
    if args.json:
        terminal.write_json(_described(answer))
    elif answer.finished is not None:
        terminal.say(_figures(answer.finished))
    return 1 if interrupted else 0


@contextmanager
def _model(args: argparse.Namespace) -> Iterator[ChatModel]:
    if args.base_url is not None:
        yield remote.model(args.base_url, args.model)
        return
    if is_route(args.model):
        with opened_workbench() as workbench:
            yield workbench.chat_model(OWNER, args.model)
        return
    with opened() as (catalog, shelf):
        info = catalog.get(args.model)
        yield shelf.model(info, catalog.path(info))


def _request(args: argparse.Namespace) -> ChatRequest:
    prompt = args.prompt
    if prompt == "-":
        prompt = sys.stdin.buffer.read().decode("utf-8", errors="replace")
    system = (Message("system", args.system),) if args.system else ()
    sampling = Sampling(temperature=args.temperature, seed=args.seed)
    return ChatRequest(messages=(*system, Message("user", prompt)), sampling=sampling, max_tokens=args.max_tokens)


def follow(answer: Answer, *, quiet: bool) -> bool:
    """Writes the text as it comes, unless `quiet`, until the answer has ended or Ctrl-C stops it. Whether it did."""
    progress, written, interrupted = terminal.Progress(), 0, False
    try:
        for event in answer.follow():
            progress.show(_waiting(event))
            if isinstance(event, Text) and event.text and not quiet:
                terminal.write(event.text)
                written += len(event.text)
    except WorkbenchError:
        pass  # it is the answer's error, shown at the end
    except KeyboardInterrupt:
        interrupted = True
        answer.stop()
        answer.wait(STOP_LIMIT_S)
    progress.clear()
    if not quiet:
        rest = answer.text[written:]
        terminal.write(rest + "\n" if answer.text else rest)
    return interrupted


def _waiting(event: Event) -> str:
    match event:
        case Loading(fraction):
            return f"loading the model: {fraction:.0%}"
        case Queued(position):
            return f"waiting: place {position} in the queue"
        case Prefill(done, total) if done < total:
            return f"reading the prompt: {done} of {total} tokens"
        case Reasoning():
            return "thinking"
    return ""


def _described(answer: Answer) -> dict[str, object]:
    finished, routed = answer.finished, answer.routed
    return {
        "model": routed.model_id if routed else answer.model_info.id,
        **({"routed": routed} if routed else {}),
        "text": answer.text,
        "finish_reason": finished.reason if finished else "cancelled",
        "usage": finished.usage if finished else None,
        "timings": finished.timings if finished else None,
    }


def _figures(finished: Finished) -> str:
    from core.figures import count, percent, rate, seconds, tokens

    usage, timings, fill = finished.usage, finished.timings, context_fill(finished.usage)
    cached = f", {count(usage.cached_tokens, 'en')} of them from cache" if usage.cached_tokens else ""
    parts = [
        tokens(usage.generated_tokens, "en", estimated=usage.estimated),
        rate(timings.decode_rate, "en"),
        f"first token after {seconds(timings.ttft_s, 'en')}",
        f"prompt {tokens(usage.prompt_tokens, 'en', estimated=usage.estimated)}{cached}",
        f"read at {rate(timings.prompt_rate, 'en')}",
        f"context {percent(fill.share, 'en')} of {count(fill.context_length, 'en')}",
        f"ended: {finished.reason}",
    ]
    return " · ".join(parts)
