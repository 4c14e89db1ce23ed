"""What /metrics shows, in Prometheus' text format, in a registry of its own.

Counts the API's requests; the pages' show in the answers of each model in memory. Used from the event loop alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.events import Finished
from core.models.local.shelf import Loaded

TTFT_S = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
TOKENS_A_SECOND = (1, 2, 5, 10, 20, 35, 50, 75, 100, 150, 200, 400)
"""Upper ends of the histograms' buckets."""


class Meter:
    """The figures since the server started."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

        disable_created_metrics()  # type: ignore[no-untyped-call]  # when each figure began: nobody asks
        self._registry = own = CollectorRegistry()
        self._requests = Counter(
            "workbench_requests", "Requests answered, by path and status (0: the client left first)",
            ["path", "status"], registry=own,
        )  # fmt: skip
        self._read = Counter("workbench_prompt_tokens", "Prompt tokens computed, cached ones left out", registry=own)
        self._written = Counter("workbench_generated_tokens", "Tokens generated", registry=own)
        self._waiting = Gauge("workbench_answers_waiting", "Answers that have no place yet", registry=own)
        self._active = Gauge("workbench_answers_active", "Answers in progress", registry=own)
        self._ttft = Histogram(
            "workbench_time_to_first_token_seconds", "From the request to its first token, queueing included",
            buckets=TTFT_S, registry=own,
        )  # fmt: skip
        self._rate = Histogram(
            "workbench_decode_tokens_per_second", "Decode rate of one answer", buckets=TOKENS_A_SECOND, registry=own
        )
        self._model_active = Gauge(
            "workbench_model_answers_active", "Answers of a model, the pages' included", ["model"], registry=own
        )
        self._model_memory = Gauge(
            "workbench_model_memory_bytes", "Resident memory of a model's process", ["model"], registry=own
        )

    def answered(self, path: str, status: int) -> None:
        """A request is over."""
        self._requests.labels(path, status).inc()

    def handed_over(self) -> None:
        """An answer was asked for."""
        self._waiting.inc()

    def begun(self) -> None:
        """It has a place."""
        self._waiting.dec()
        self._active.inc()

    def wrote(self, tokens: int) -> None:
        """So many tokens of it came."""
        self._written.inc(tokens)

    def read(self, tokens: int) -> None:
        """So many tokens of its prompt were computed."""
        self._read.inc(tokens)

    def ended(self, *, begun: bool) -> None:
        """It has ended, whether it ever had a place or not."""
        (self._active if begun else self._waiting).dec()

    def finished(self, finished: Finished) -> None:
        """It ended as it should."""
        timings = finished.timings
        if timings.ttft_s is not None:
            self._ttft.observe(timings.ttft_s)
        if timings.decode_rate is not None:
            self._rate.observe(timings.decode_rate)

    def text(self, loaded: Sequence[Loaded]) -> bytes:
        """The page for Prometheus; `loaded`: what is in memory now."""
        from prometheus_client import generate_latest

        self._model_active.clear()
        self._model_memory.clear()
        for one in loaded:
            self._model_active.labels(one.info.id).inc(one.answering)
            self._model_memory.labels(one.info.id).inc(one.memory_bytes or 0)
        return generate_latest(self._registry)
