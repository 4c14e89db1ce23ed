"""What is exported for people and other programs: the selected path as Markdown and as OpenAI messages."""

from __future__ import annotations

import json

from core.attachments import Attachment
from core.errors import ModelDied
from core.events import Finished, Timings, Usage
from core.messages import ChatRequest
from core.store.conversations import Conversations
from core.store.restoring import Restoring, WholeConversation
from core.transfer import detect, markdown, openai_messages

ANA = "ana"


def made(conversations: Conversations, restoring: Restoring) -> WholeConversation:
    """A question with a file, two answers of which the first is selected, a second question with a failed answer."""
    id = conversations.create(ANA, system_prompt="Sois bref.\nToujours.").id
    notes = Attachment("notes.txt", "some notes", "text")
    asked = conversations.add_question(ANA, id, "Pourquoi ?", parent_id=None, attachments=[notes])
    answers = []
    for text in ("# Parce que\n\n$x$", "not selected"):
        answer = conversations.begin_answer(
            ANA, id, parent_id=asked.id, model_id="m", model_name="SmolLM2", request=ChatRequest()
        )
        conversations.append(answer.id, text)
        conversations.append(answer.id, "One.\n\nTwo.", reasoning=True)
        usage = Usage(prompt_tokens=9, generated_tokens=1234)
        conversations.finish(
            answer.id, Finished("stop", usage, Timings(ttft_s=0.25, decode_rate=92.4)), status="complete"
        )
        answers.append(answer)
    conversations.edit_answer(ANA, answers[0].id, "# Parce que\n\n$x$")
    conversations.select(ANA, answers[0].id)
    second = conversations.add_question(ANA, id, "Encore", parent_id=answers[0].id)
    failed = conversations.begin_answer(
        ANA, id, parent_id=second.id, model_id="m", model_name="SmolLM2", request=ChatRequest()
    )
    conversations.fail(failed.id, ModelDied(model="m", detail="x"))
    return restoring.read(ANA, id)


def test_markdown_reads_from_top_to_bottom(conversations: Conversations, restoring: Restoring) -> None:
    text = markdown.export(made(conversations, restoring)).decode()
    lines = [line for line in text.splitlines() if line]
    assert lines[0] == "# Pourquoi ?"
    assert lines[2:] == [
        "**System prompt**", "> Sois bref.", "> Toujours.",
        "---", "**Question**", "*Attached: notes.txt*", "Pourquoi ?",
        "---", "**SmolLM2**", "*Reasoning*", "> One.", ">", "> Two.", "# Parce que", "$x$",
        "*1,234\u00a0tokens · 92.4\u00a0tokens/s · first token 250\u00a0ms · edited*",
        "---", "**Question**", "Encore",
        "---", "**SmolLM2**", "*interrupted*",
    ]  # fmt: skip
    assert (
        "1\u202f234\u202ftokens · 92,4\u202ftokens/s"
        in markdown.export(made(conversations, restoring), language="fr").decode()
    )


def test_openai_messages_go_out_and_come_in(conversations: Conversations, restoring: Restoring) -> None:
    file = openai_messages.export(made(conversations, restoring))
    messages = json.loads(file)
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user"]
    assert messages[0]["content"] == "Sois bref.\nToujours."
    assert "some notes" in messages[1]["content"]
    assert messages[1]["content"].endswith("Pourquoi ?")
    assert messages[2:] == [
        {"role": "assistant", "content": "# Parce que\n\n$x$"},
        {"role": "user", "content": "Encore"},
    ]
    (back,) = detect.read(file)
    assert back.conversation is not None
    assert openai_messages.export(back.conversation) == file


def test_an_empty_conversation_can_be_exported(conversations: Conversations, restoring: Restoring) -> None:
    whole = restoring.read(ANA, conversations.create(ANA).id)
    assert openai_messages.export(whole) == b"[]"
    assert markdown.export(whole).startswith(b"# Conversation\n\n")
