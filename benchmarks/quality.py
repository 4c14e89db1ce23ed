"""Our quality pass against llama-perplexity: the same text, chunks, context and threads, in turns; whole processes.

Both times are from the start of the process to its end, loading included: with KL divergence against the same file of
log-probabilities, which llama-perplexity makes once before the clock runs. The figures of both are compared as well.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks import llamacpp
from benchmarks.figure import Figure, Plan, Unmeasurable
from core.child import frames
from core.gguf import estimates, measures, texts
from core.gguf.measures import Chunk, QualityTask, Round, Setup, SpeedTask

CHUNKS = 8
CONTEXT = 512
LIMIT_S = 900


def measure(plan: Plan) -> list[Figure]:
    """The ratio of the times, how far two figures are apart, and the ratios of the speeds."""
    with tempfile.TemporaryDirectory() as folder:
        text, base = Path(folder, "text.txt"), Path(folder, "base")
        text.write_text(texts.passage("english"), encoding="utf-8")
        _tool(plan, "-f", text, "--chunks", CHUNKS, "--kl-divergence-base", base)
        ours, theirs, found = [], [], 0.0
        for _ in range(plan.repeat):
            began = time.perf_counter()
            said = _tool(plan, "--kl-divergence-base", base, "--kl-divergence")
            theirs.append(time.perf_counter() - began)
            began = time.perf_counter()
            found = _ours(plan, base)
            ours.append(time.perf_counter() - began)
    rates = [_rates(plan) for _ in range(plan.repeat)]
    same = _figure(r"Same top p: *([\d.]+)", said)
    return [
        Figure(
            name="quality.time",
            what=f"a quality pass over {CHUNKS} chunks of {CONTEXT}, to llama-perplexity --kl-divergence",
            value=median(ours) / median(theirs),
            unit="×",
            target=("≤", 1.1),
            details={"ours_s": ours, "llama_perplexity_s": theirs},
        ),
        Figure(
            name="quality.same_top",
            what="same next token as in the file of probabilities, less what llama-perplexity finds",
            value=abs(100 * found - same),
            unit="%",
            target=("≤", 0.5),
            details={"ours": 100 * found, "llama_perplexity": same},
        ),
        *(
            Figure(
                name=f"quality.{what}",
                what=f"what a study says of {what}, to llama-bench {test}",
                value=median(one[place] for one in rates) / median(one[place + 2] for one in rates),
                unit="×",
                target=("≥", 0.95),
                details={"ours": [one[place] for one in rates], "llama_bench": [one[place + 2] for one in rates]},
            )
            for place, (what, test) in enumerate((("reading", "pp512"), ("writing", "tg128")))
        ),
    ]


def _rates(plan: Plan) -> tuple[float, float, float, float]:
    """Tokens a second: ours reading and writing, llama-bench's reading and writing, one after the other."""
    task = SpeedTask(path=str(plan.model), name=plan.model.stem, repeat=1, setup=Setup(threads=plan.threads))
    said = frames("core.llamacpp.speed", measures.encode(task), measures.decode_frame)
    found = {frame.test: frame.rate for frame in said if isinstance(frame, Round) and frame.number}
    return found["read"], found["write"], llamacpp.bench(plan, prompt=512), llamacpp.bench(plan, generate=128)


def _ours(plan: Plan, base: Path) -> float:
    task = QualityTask(
        path=str(plan.model),
        name=plan.model.stem,
        text=texts.passage("english"),
        context=CONTEXT,
        chunks=CHUNKS,
        reference=str(base),
        setup=Setup(threads=plan.threads),
    )
    chunks = [
        frame
        for frame in frames("core.llamacpp.perplexity", measures.encode(task), measures.decode_frame)
        if isinstance(frame, Chunk)
    ]
    if len(chunks) != CHUNKS:
        raise Unmeasurable(f"the pass gave {len(chunks)} chunks")
    same = estimates.quality(chunks).same_top
    return same.value if same is not None else 0.0


def _tool(plan: Plan, *options: object) -> str:
    command = [llamacpp.tool("llama-perplexity"), "-m", plan.model, "-c", CONTEXT, "-t", plan.threads, *options]
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, errors="replace", timeout=LIMIT_S, check=False
    )
    if done.returncode:
        raise Unmeasurable(f"llama-perplexity ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.stdout + done.stderr


def _figure(pattern: str, said: str) -> float:
    found = re.search(pattern, said)
    if found is None:
        raise Unmeasurable("llama-perplexity said no figure")
    return float(found[1])
