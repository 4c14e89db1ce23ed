"""ChatGPT's and Open WebUI's exports, OpenAI messages: what is kept of them, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from core.store.conversations import Conversations
from core.store.database import Database
from core.store.restoring import WholeConversation
from core.transfer import detect
from core.transfer.imported import EMPTY, INSTRUCTIONS, LOOSE, NOT_TEXT, TOOLS, UNREADABLE_MESSAGE
from core.transfer.importing import write
from tests.transfer.files import chatgpt, chatgpt_node, data, webui, webui_message

ANA = "ana"


def only(plain: Any) -> tuple[WholeConversation, dict[str, int]]:
    (one,) = detect.read(data(plain))
    assert one.conversation is not None
    return one.conversation, {each.reason: each.count for each in one.left_out}


def said(whole: WholeConversation) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in whole.messages]


def hidden(text: str) -> dict[str, Any]:
    return {"metadata": {"is_visually_hidden_from_conversation": True}, "content": content("text", parts=[text])}


def content(kind: str, **fields: Any) -> dict[str, Any]:
    return {"content_type": kind, **fields}


def test_a_chat_of_chatgpt_with_its_branches(conversations: Conversations, db: Database) -> None:
    plain = chatgpt(
        chatgpt_node("s", "root", "system", ""),
        chatgpt_node("q", "s", "user", "Why?"),
        chatgpt_node("a1", "q", "assistant", "Because."),
        chatgpt_node("a2", "q", "assistant", "So it is."),
        chatgpt_node("q2", "a1", "user", "And then?"),
        current="q2",
        is_starred=True,
    )
    whole, left_out = only([plain])
    assert (whole.title, whole.title_by, whole.pinned) == ("From ChatGPT", "model", True)
    assert (whole.created_at, whole.updated_at) == (1_700_000_000.0, 1_700_000_100.0)
    assert left_out == {}
    assert [m.model_name for m in whole.messages] == [None, "gpt-4o", "gpt-4o", None]
    assert {m.created_at for m in whole.messages} == {1_700_000_000.5}

    (id,) = write(db, ANA, detect.read(data([plain]))).ids
    path = conversations.messages(ANA, id)
    assert [m.content for m in path] == ["Why?", "Because.", "And then?"]
    others = [conversations.message(ANA, one).content for one in conversations.siblings(ANA, path[1].id)]
    assert others == ["Because.", "So it is."]


def test_one_answer_of_chatgpt_in_several_messages() -> None:
    whole, left_out = only(
        [
            chatgpt(
                chatgpt_node("q", "root", "user", "Plot it"),
                chatgpt_node("t", "q", "assistant", content=content("thoughts", thoughts=[
                    {"summary": "Plan", "content": "First x."}, {"summary": "", "content": "Then y."}])),
                chatgpt_node("r", "t", "assistant", content=content("reasoning_recap", content="Thought for 8s")),
                chatgpt_node("a1", "r", "assistant", "I will plot it."),
                chatgpt_node("code", "a1", "assistant", recipient="python", content=content("code", text="plot()")),
                chatgpt_node("out", "code", "tool", content=content("execution_output", text="done")),
                chatgpt_node("a2", "out", "assistant", "Here it is \ue200cite\ue202turn0search1\ue201."),
                chatgpt_node("q2", "a2", "user", "Thanks"),
            )
        ]
    )  # fmt: skip
    assert said(whole) == [("user", "Plot it"), ("assistant", "I will plot it.\n\nHere it is ."), ("user", "Thanks")]
    assert whole.messages[1].reasoning == "Plan\nFirst x.\n\nThen y."
    assert whole.messages[2].parent_id == whole.messages[1].id
    assert whole.leaf_id == whole.messages[2].id
    assert left_out == {TOOLS: 2}


def test_the_end_of_a_joined_answer_is_the_end_of_the_path() -> None:
    whole, _ = only(
        [chatgpt(chatgpt_node("q", "root", "user", "?"), chatgpt_node("a", "q", "assistant", "A"),
                 chatgpt_node("b", "a", "assistant", "B"), chatgpt_node("c", "b", "assistant", "C"))]
    )  # fmt: skip
    assert said(whole) == [("user", "?"), ("assistant", "A\n\nB\n\nC")]
    assert whole.leaf_id == whole.messages[1].id


def test_what_is_no_text_is_named() -> None:
    image = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://f", "size_bytes": 1}
    spoken = {"content_type": "audio_transcription", "text": "Hello aloud", "direction": "in"}
    whole, left_out = only(
        [
            chatgpt(
                chatgpt_node(
                    "q", "root", "user", content=content("multimodal_text", parts=[image, spoken, "What?", 7])
                ),
                chatgpt_node("f", "q", "user", "Read it", metadata={"attachments": [{"id": "f", "name": "a.pdf"}]}),
                chatgpt_node("c", "f", "assistant", content=content("code", language="python", text="x = 1")),
            )
        ]
    )
    assert [text for _, text in said(whole)] == [
        "[image]\nHello aloud\nWhat?\n[attachment]", "[a.pdf]\nRead it", "```python\nx = 1\n```"
    ]  # fmt: skip
    assert left_out == {NOT_TEXT: 3}


def test_hidden_instructions_of_chatgpt_are_left_out() -> None:
    custom = content("user_editable_context", user_profile="I am 34", user_instructions="Be kind")
    whole, left_out = only(
        [
            chatgpt(
                chatgpt_node("i", "root", "user", content=custom),
                chatgpt_node("h", "i", "user", **hidden("secret")),
                chatgpt_node("s", "h", "system", "You are"),
                chatgpt_node("q", "s", "user", "Hi"),
            )
        ]
    )
    assert said(whole) == [("user", "Hi")]
    assert left_out == {INSTRUCTIONS: 3}


def test_circles_and_missing_fields_of_chatgpt() -> None:
    bare = {"a": {"message": {"author": {"role": "user"}, "content": {"parts": ["a"]}}, "parent": "b"},
            "b": {"message": {"author": {"role": "user"}, "content": {"parts": ["b"]}}, "parent": "a"},
            "c": {"message": {"content": 5}, "parent": "nowhere"},
            "d": {"message": {"author": {"role": "user"}, "content": {"parts": ["d"]}}, "parent": "c"},
            "e": {}}  # fmt: skip
    whole, left_out = only([{"mapping": bare, "title": None, "create_time": None}])
    assert said(whole) == [("user", "b"), ("user", "a"), ("user", "d")]
    assert [m.parent_id for m in whole.messages] == [None, "b", None]
    assert (whole.title, whole.title_by, whole.created_at > 1.6e9) == ("b", "words", True)
    assert left_out == {UNREADABLE_MESSAGE: 1, LOOSE: 2}


@pytest.mark.parametrize("plain", [chatgpt(chatgpt_node("s", "root", "system", "")), {"chat": {"title": "t"}}])
def test_a_conversation_without_a_message_is_none(plain: Any, db: Database) -> None:
    report = write(db, ANA, detect.read(data([plain])))
    assert (report.ids, [(each.reason, each.count) for each in report.left_out]) == ((), [(EMPTY, 1)])


def test_a_chat_of_open_webui_with_its_branches(conversations: Conversations, db: Database) -> None:
    plain = webui(
        webui_message("q", None, "user", "Why?"),
        webui_message("a1", "q", "assistant", "Because."),
        webui_message("a2", "q", "assistant", "So it", done=False, model="phi", modelName=None),
        current="a1",
    )
    whole, left_out = only([plain])
    assert (whole.title, whole.pinned, whole.tags) == ("From Open WebUI", True, ("physics",))
    assert (whole.system_prompt, whole.created_at, whole.updated_at) == ("Be brief.", 1_700_000_000, 1_700_000_200)
    assert [(m.model_name, m.status) for m in whole.messages[1:]] == [("Llama 3.2", "complete"), ("phi", "cut")]
    assert left_out == {}
    (id,) = write(db, ANA, detect.read(data([plain]))).ids
    assert [m.content for m in conversations.messages(ANA, id)] == ["Why?", "Because."]
    assert conversations.get(ANA, id).system_prompt == "Be brief."


def test_reasoning_of_open_webui() -> None:
    thought = (
        '<details type="reasoning" done="true" duration="13">\n<summary>Thought for 13 seconds</summary>\n'
        "{}\n</details>\nThe answer."
    )
    output = [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Deep."}]},
        {"type": "function_call", "name": "f", "arguments": "{}"},
        {"type": "message", "content": [{"type": "output_text", "text": "Out."}]},
    ]
    tool = '<details type="tool_calls" done="true" name="f" arguments="&quot;">\n<summary>Ran</summary>\n</details>\n'
    whole, left_out = only(
        [
            webui(
                webui_message("q", None, "user", 'What is <details type="x">this</details>?'),
                webui_message("a", "q", "assistant", thought.format("> Let me\n> \n> think < 2")),
                webui_message("b", "q", "assistant", thought.format("&gt; it&#x27;s\n&gt; so")),
                webui_message("c", "q", "assistant", "", output=output),
                webui_message("d", "q", "assistant", tool + "Done."),
            )
        ]
    )
    assert said(whole)[0][1] == 'What is <details type="x">this</details>?'
    assert [(m.content, m.reasoning) for m in whole.messages[1:]] == [
        ("The answer.", "Let me\n\nthink < 2"), ("The answer.", "it's\nso"), ("Out.", "Deep."), ("Done.", "")
    ]  # fmt: skip
    assert left_out == {TOOLS: 1}


def test_parts_and_files_of_open_webui() -> None:
    parts = [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": "data:…"}}]
    files = [{"type": "file", "name": "notes.txt"}, {"type": "image", "url": "…"}, 5]
    whole, left_out = only([webui(webui_message("q", None, "user", parts, files=files))])
    assert said(whole) == [("user", "[notes.txt]\n[image]\n[attachment]\nLook\n[image_url]")]
    assert left_out == {NOT_TEXT: 4}


def test_an_old_chat_of_open_webui_is_a_list() -> None:
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    whole, _ = only([{"chat": {"title": "Old", "messages": messages}}])
    assert said(whole) == [("user", "Hi"), ("assistant", "Hello")]
    assert whole.messages[1].parent_id == whole.messages[0].id


def test_openai_messages(conversations: Conversations, db: Database) -> None:
    call = {"id": "t", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    plain = [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": [{"type": "text", "text": "And kind."}]},
        {"role": "user", "content": [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {}}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "t", "content": "42"},
        {"role": "system", "content": "Now hurry."},
        {"role": "assistant", "content": "It is 42.", "reasoning_content": "Hmm"},
        {"content": "no role"},
    ]
    whole, left_out = only({"model": "gpt-4o", "messages": plain})
    assert (whole.title, whole.title_by, whole.system_prompt) == ("Look [image_url]", "words", "Be brief.\n\nAnd kind.")
    assert said(whole) == [("user", "Look\n[image_url]"), ("assistant", ""), ("assistant", "It is 42.")]
    assert [call.name for call in whole.messages[1].tool_calls] == ["look_up"]
    assert (whole.messages[2].reasoning, whole.messages[2].model_name) == ("Hmm", "gpt-4o")
    assert left_out == {NOT_TEXT: 1, TOOLS: 1, INSTRUCTIONS: 1, UNREADABLE_MESSAGE: 1}
    (id,) = write(db, ANA, detect.read(data(plain))).ids
    assert [m.content for m in conversations.messages(ANA, id)] == ["Look\n[image_url]", "", "It is 42."]
