"""The other addresses: models, completions, embeddings, tokens, health, metrics."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from openai import OpenAI

from tests.api.conftest import MODEL
from tests.api.serving import Served, until
from tests.asking import QUESTION

pytestmark = pytest.mark.model

PROMPT = "The capital of France is"


def test_the_models_are_those_of_the_catalogue(client: OpenAI, server: Served, tiny_id: str) -> None:
    assert [model.id for model in client.models.list()] == [MODEL, tiny_id]
    one = client.models.retrieve(tiny_id)
    assert (one.id, one.object, one.owned_by) == (tiny_id, "model", "inference-workbench")
    told = server.ask(f"/v1/models/{MODEL}").json
    assert told["meta"]["n_ctx"] == 4096
    assert told["meta"]["size"] > 50e6


def test_a_prompt_is_completed_and_not_answered(client: OpenAI) -> None:
    done = client.completions.create(model=MODEL, prompt=PROMPT, max_tokens=3, temperature=0, logprobs=2)
    (choice,) = done.choices
    assert (done.object, choice.finish_reason) == ("text_completion", "length")
    assert "Paris" in choice.text
    scores = choice.logprobs
    assert "".join(scores.tokens) == choice.text
    assert scores.text_offset == [0, *(sum(map(len, scores.tokens[:i])) for i in (1, 2))]
    assert [len(top) for top in scores.top_logprobs] == [2, 2, 2]
    assert scores.token_logprobs == [pytest.approx(max(top.values())) for top in scores.top_logprobs]


def test_text_and_its_tokens_are_one_prompt(client: OpenAI, server: Served) -> None:
    ids = server.ask("/tokenize", {"content": PROMPT, "model": MODEL}).json["tokens"]
    done = client.completions.create(model=MODEL, prompt=[PROMPT, PROMPT], max_tokens=2, temperature=0)
    tokens = client.completions.create(model=MODEL, prompt=ids, max_tokens=2, temperature=0)
    lists = client.completions.create(model=MODEL, prompt=[ids], max_tokens=2, temperature=0)
    assert {choice.text for one in (done, tokens, lists) for choice in one.choices} == {done.choices[0].text}
    assert [choice.index for choice in done.choices] == [0, 1]


def test_several_prompts_several_times_stand_in_order(client: OpenAI, tiny_id: str) -> None:
    more = {"ignore_eos": True}
    done = client.completions.create(
        model=tiny_id, prompt=[[5], [6]], n=2, seed=3, temperature=1, max_tokens=6, extra_body=more
    )
    one, other = (
        client.completions.create(
            model=tiny_id, prompt=[5], seed=seed, temperature=1, max_tokens=6, extra_body=more
        ).choices[0].text
        for seed in (3, 4)
    )  # fmt: skip
    assert [choice.text for choice in done.choices] == [one, other, one, other]


def test_a_completion_has_sixteen_tokens_and_streams(client: OpenAI) -> None:
    *chunks, last = client.completions.create(
        model=MODEL, prompt=PROMPT, temperature=0, stream=True, stream_options={"include_usage": True}
    )
    whole = client.completions.create(model=MODEL, prompt=PROMPT, temperature=0)
    assert last.usage.completion_tokens == whole.usage.completion_tokens == 16
    assert "".join(chunk.choices[0].text for chunk in chunks)[:8] == whole.choices[0].text[:8]


def test_embeddings_are_the_same_packed_and_not(client: OpenAI) -> None:
    texts = ["A cat sleeps.", "A kitten naps.", "Compound interest accrues."]
    packed = client.embeddings.create(model=MODEL, input=texts)
    plain = client.embeddings.create(model=MODEL, input=texts, encoding_format="float")
    vectors = [one.embedding for one in plain.data]
    assert [one.index for one in plain.data] == [0, 1, 2]
    assert len({len(vector) for vector in vectors}) == 1
    for one, other in zip(packed.data, vectors, strict=True):
        assert one.embedding == pytest.approx(other, abs=1e-3)
    assert all(math.hypot(*vector) == pytest.approx(1, abs=1e-3) for vector in vectors)
    assert plain.usage.prompt_tokens == plain.usage.total_tokens > 6


def test_one_text_has_one_vector(client: OpenAI) -> None:
    (one,) = client.embeddings.create(model=MODEL, input=QUESTION).data
    assert len(one.embedding) == 576


def test_tokens_and_back(server: Served) -> None:
    text = "Ünïcödé <|im_end|> 🦙"
    ids = server.ask("/tokenize", {"content": text}).json["tokens"]
    assert server.ask("/detokenize", {"tokens": ids}).json == {"content": text}
    pieces = server.ask("/tokenize", {"content": "Hello world", "with_pieces": True}).json["tokens"]
    assert [one["piece"] for one in pieces] == ["Hello", " world"]
    spelled = server.ask("/tokenize", {"content": text, "parse_special": False}).json["tokens"]
    assert len(spelled) > len(ids)


@pytest.mark.parametrize("path", ["/health", "/v1/health"])
def test_it_is_well(server: Served, path: str) -> None:
    assert server.ask(path).json == {"status": "ok"}


def test_what_happened_is_counted(client: OpenAI, server: Served) -> None:
    names = [
        'workbench_requests_total{path="/v1/chat/completions",status="200"}',
        "workbench_generated_tokens_total",
        "workbench_time_to_first_token_seconds_count",
        "workbench_decode_tokens_per_second_count",
    ]
    until(lambda: server.figure("workbench_answers_active") == server.figure("workbench_answers_waiting") == 0)
    before = [server.figure(name) for name in names]
    messages = [{"role": "user", "content": QUESTION}]
    client.chat.completions.create(model=MODEL, messages=messages, max_tokens=5, temperature=0)
    until(lambda: [server.figure(name) - old for name, old in zip(names, before, strict=True)] == [1, 5, 1, 1])
    until(lambda: server.figure("workbench_answers_active") == server.figure("workbench_answers_waiting") == 0)
    assert server.figure(f'workbench_model_memory_bytes{{model="{MODEL}"}}') > 50e6
    assert server.ask("/metrics").headers["content-type"].startswith("text/plain")


def test_a_model_is_named_by_its_path_only_where_it_is_listed(server: Served, smollm: Path) -> None:
    for path in (str(smollm), "/etc/passwd", "../../etc/passwd"):
        refused = server.ask("/v1/completions", {"model": path, "prompt": "a"})
        assert (refused.status, refused.error["code"]) == (404, "model_not_found")
