"""Perplexity and KL divergence: against figures computed here in another way, and against llama.cpp's own tool."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.child import frames
from core.errors import LogitsInvalid, TextTooShort, VocabulariesDiffer, WorkbenchError
from core.gguf import estimates, measures, quantize, reader, texts
from core.gguf.measures import Chunk, Failed, Frame, Opened, QualityTask
from tests.gguf.worded import BOS, WORDS, embeddings, logits, text, tokens, worded

ROOT = Path(__file__).resolve().parents[2]
CONTEXT = 32


def run(path: Path, **task: Any) -> list[Frame]:
    asked = QualityTask(path=str(path), name=path.stem, **task)
    return list(frames("core.llamacpp.perplexity", measures.encode(asked), measures.decode_frame))


def chunks(path: Path, **task: Any) -> list[Chunk]:
    said = run(path, **task)
    failed = next((frame for frame in said if isinstance(frame, Failed)), None)
    if failed is not None:
        raise WorkbenchError.from_dict(failed.error)
    return [frame for frame in said if isinstance(frame, Chunk)]


def log_softmax(values: NDArray[np.float64]) -> NDArray[np.float64]:
    top = values.max()
    result: NDArray[np.float64] = values - top - math.log(np.exp(values - top).sum())
    return result


def scored(words: str, *, bos: bool) -> list[tuple[int, int]]:
    """(token before, token that came) at each scored place, written down from the procedure's description."""
    own = [BOS, *tokens(words)] if bos else tokens(words)
    pairs = []
    for start in range(0, len(own) - CONTEXT + 1, CONTEXT):
        chunk = own[start : start + CONTEXT]
        came = chunk[:]
        if bos:
            chunk[0] = BOS
        pairs += [(chunk[place], came[place + 1]) for place in range(CONTEXT // 2, CONTEXT - 1)]
    return pairs


@pytest.mark.parametrize("bos", [True, False])
def test_every_figure_is_what_its_definition_says(tmp_path: Path, bos: bool) -> None:
    words = text(100)
    reference = worded(tmp_path / "reference.gguf", bos=bos)
    model = worded(tmp_path / "model.gguf", bos=bos, noise=0.1)
    kept = tmp_path / "kept"
    first = chunks(reference, text=words, context=CONTEXT, keep=str(kept))
    second = chunks(model, text=words, context=CONTEXT, reference=str(kept))
    base, own = embeddings(), embeddings(noise=0.1)
    p = [log_softmax(logits(base, before)) for before, _ in scored(words, bos=bos)]
    q = [log_softmax(logits(own, before)) for before, _ in scored(words, bos=bos)]
    came = [token for _, token in scored(words, bos=bos)]
    assert len(first) == len(second) == 3
    found = estimates.quality(second)
    assert found.positions == len(came) == 3 * (CONTEXT // 2 - 1)
    nll = np.array([-one[token] for one, token in zip(q, came, strict=True)])
    base_nll = np.array([-one[token] for one, token in zip(p, came, strict=True)])
    assert estimates.quality(first).perplexity.value == pytest.approx(math.exp(base_nll.mean()), rel=1e-4)
    assert found.perplexity.value == pytest.approx(math.exp(nll.mean()), rel=1e-4)
    error = nll.std() / math.sqrt(len(nll) - 1)
    assert found.perplexity.error == pytest.approx(math.exp(nll.mean()) * error, rel=1e-3)
    kl = np.array([(np.exp(one) * (one - other)).sum() for one, other in zip(p, q, strict=True)])
    assert found.kl is not None and found.same_top is not None and found.delta_p_rms is not None
    assert found.kl.mean.value == pytest.approx(kl.mean(), rel=1e-2)
    assert found.kl.max == pytest.approx(kl.max(), rel=1e-2)
    assert found.kl.median == pytest.approx(float(np.median(kl)), rel=1e-2)
    same = np.mean([one.argmax() == other.argmax() for one, other in zip(p, q, strict=True)])
    assert found.same_top.value == pytest.approx(float(same))
    delta = np.exp(-nll) - np.exp(-base_nll)
    assert found.delta_p_rms.value == pytest.approx(math.sqrt((delta**2).mean()), rel=1e-2)


def test_a_model_against_itself_is_no_different(tmp_path: Path) -> None:
    model, kept = worded(tmp_path / "model.gguf"), tmp_path / "kept"
    chunks(model, text=text(100), context=CONTEXT, keep=str(kept))
    found = estimates.quality(chunks(model, text=text(100), context=CONTEXT, reference=str(kept)))
    assert found.kl is not None and found.same_top is not None and found.ratio is not None
    assert abs(found.kl.mean.value) < 1e-5 and found.same_top.value == 1.0
    assert found.ratio.value == pytest.approx(1.0, abs=1e-3)


def test_a_pass_that_was_cut_goes_on_with_the_next_chunk(tmp_path: Path) -> None:
    model, kept = worded(tmp_path / "model.gguf"), tmp_path / "kept"
    whole = chunks(model, text=text(100), context=CONTEXT, keep=str(kept))
    content = kept.read_bytes()
    kept.write_bytes(content[: len(content) - 5000])  # in the middle of the last chunk
    rest = chunks(model, text=text(100), context=CONTEXT, keep=str(kept), skip=2)
    assert [(chunk.number, chunk.nll) for chunk in rest] == [(2, whole[2].nll)]
    assert kept.read_bytes() == content


def test_batches_smaller_than_the_chunk_make_no_difference(tmp_path: Path) -> None:
    model = worded(tmp_path / "model.gguf")
    one = chunks(model, text=text(100), context=CONTEXT)
    many = chunks(model, text=text(100), context=CONTEXT, setup=measures.Setup(batch=7))
    for ours, theirs in zip(one, many, strict=True):
        assert ours.nll == pytest.approx(theirs.nll, rel=1e-4)


def test_a_text_of_less_than_a_chunk_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TextTooShort) as refused:
        chunks(worded(tmp_path / "model.gguf"), text=text(20), context=CONTEXT)
    assert refused.value.values == {"tokens": 21, "needed": CONTEXT}
    with pytest.raises(TextTooShort):
        chunks(worded(tmp_path / "model.gguf"), text="", context=CONTEXT)


def test_vocabularies_that_differ_are_refused(tmp_path: Path) -> None:
    words, kept = text(100), tmp_path / "kept"
    chunks(worded(tmp_path / "one.gguf"), text=words, context=CONTEXT, keep=str(kept))
    fewer = worded(tmp_path / "fewer.gguf", words=WORDS[:-1])
    with pytest.raises(VocabulariesDiffer):
        chunks(fewer, text=words, context=CONTEXT, reference=str(kept))
    turned = worded(tmp_path / "turned.gguf", words=WORDS[::-1])
    with pytest.raises(VocabulariesDiffer):
        chunks(turned, text=words, context=CONTEXT, reference=str(kept))


def test_logits_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    model = worded(tmp_path / "model.gguf")
    gguf = reader.read(model)
    norm = next(tensor for tensor in gguf.tensors if tensor.name == "output_norm.weight")
    with model.open("r+b") as file:
        file.seek(gguf.data_offset + norm.offset)
        file.write(np.full(4, np.nan, np.float32).tobytes())
    with pytest.raises(LogitsInvalid) as refused:
        chunks(model, text=text(100), context=CONTEXT)
    assert refused.value.values["chunk"] == 1


def tool() -> Path:
    folder = os.environ.get("LLAMA_CPP_TOOLS")
    path = Path(folder or ".", "llama-perplexity")
    if folder is None or not path.is_file():
        pytest.skip("LLAMA_CPP_TOOLS names no folder with llama-perplexity (benchmarks/build_llamacpp.py makes one)")
    return path


def said_by_tool(*arguments: str | Path) -> str:
    done = subprocess.run(
        [str(tool()), *map(str, arguments)], capture_output=True, text=True, errors="replace", check=True
    )
    return done.stdout + done.stderr


def figure(pattern: str, said: str) -> float:
    found = re.search(pattern, said)
    assert found is not None, said[-2000:]
    return float(found[1])


def evaluated(model: Path, reference: Path, file: Path, home: Path) -> dict[str, Any]:
    """As a person asks for it on the command line."""
    command = [sys.executable, "-m", "core", "evaluate", str(model), "--reference", str(reference), "--text", str(file)]
    command += ["--chunks", "2", "--json"]
    environ = {**os.environ, "WORKBENCH_HOME": str(home)}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.model
def test_it_agrees_with_llama_perplexity(smollm: Path, tmp_path: Path) -> None:
    tool()
    file = tmp_path / "text.txt"
    file.write_text(texts.passage("english"), encoding="utf-8")
    reference = quantize.quantize(smollm, tmp_path / "f16.gguf", "F16").path
    model = quantize.quantize(smollm, tmp_path / "q3.gguf", "Q3_K_M").path
    base, same = tmp_path / "base", ["-c", "512", "--chunks", "2", "-t", "2"]
    first = said_by_tool("-m", reference, "-f", file, *same, "--kl-divergence-base", base)
    second = said_by_tool("-m", model, *same, "--kl-divergence-base", base, "--kl-divergence")
    ours = evaluated(model, reference, file, tmp_path / "home")
    assert ours["chunks"] == 2 and ours["context"] == 512
    assert ours["perplexity"] == pytest.approx(figure(r"Mean PPL\(Q\)\s*: *([\d.]+)", second), rel=0.01)
    kl = ours["kl_divergence"]
    assert kl["mean"] == pytest.approx(figure(r"Mean +KLD: *([\d.]+)", second), rel=0.03)
    assert kl["error"] == pytest.approx(figure(r"Mean +KLD: *[\d.]+ ± *([\d.]+)", second), rel=0.03)
    assert kl["median"] == pytest.approx(figure(r"Median +KLD: *([\d.]+)", second), rel=0.03)
    assert kl["p99"] == pytest.approx(figure(r"99\.0% +KLD: *([\d.]+)", second), rel=0.03)
    assert kl["max"] == pytest.approx(figure(r"Maximum KLD: *([\d.]+)", second), rel=0.03)
    assert 100 * ours["same_top"] == pytest.approx(figure(r"Same top p: *([\d.]+)", second), abs=0.5)
    assert 100 * ours["delta_p_rms"] == pytest.approx(figure(r"RMS Δp +: *([\d.]+)", second), rel=0.03)
    alone = figure(r"Final estimate: PPL = ([\d.]+)", first)
    assert figure(r"Mean PPL\(base\)\s*: *([\d.]+)", second) == pytest.approx(alone, rel=0.01)


@pytest.mark.model
def test_llama_perplexity_reads_our_file_of_probabilities(smollm: Path, tmp_path: Path) -> None:
    tool()
    kept = tmp_path / "kept"
    said = run(smollm, text=texts.passage("english"), chunks=1, keep=str(kept))
    assert isinstance(said[0], Opened)
    theirs = said_by_tool("-m", smollm, "-c", "512", "-t", "2", "--kl-divergence-base", kept, "--kl-divergence")
    assert figure(r"Mean +KLD: *(-?[\d.]+)", theirs) == pytest.approx(0.0, abs=1e-3)
