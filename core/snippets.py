"""The exact request of an answer, and programs that send it again: shell, Python, JavaScript.

Each program runs as it is and takes the key from the environment variable OPENAI_API_KEY: no key is ever in a snippet.
Whatever is in the texts (quotes, line ends, $, backslashes, emoji) arrives as it was asked. Sends nothing.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from core.messages import ChatRequest
from core.models.base import ChatModel
from core.models.remote import body
from core.models.remote.client import RemoteModel
from core.models.remote.endpoint import PATH

KEY = "OPENAI_API_KEY"


_KEPT = "\n\u200d"
"""Line ends, which are only between the texts, and what joins emoji into one."""


class ExactRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is posted, and where. `local`: the model is on this machine and took the request without HTTP; it is then
    written as the workbench's own API takes it."""

    url: str
    body: dict[str, Any]
    local: bool


def exact(model: ChatModel, request: ChatRequest, *, own_api: str) -> ExactRequest:
    """The request as `model` is sent it. `own_api`: the base URL of the workbench's own API, for a local model.

    Raises `EmptyPrompt`, `NotSupported` or `SettingInvalid`.
    """
    if isinstance(model, RemoteModel):
        return ExactRequest(url=model.url, body=model.exact_request(request), local=False)
    info = model.info
    taken = body.of(
        request, model=info.id, provider=info.provider, unsupported=frozenset(), context_length=info.context_length
    )
    return ExactRequest(url=own_api.rstrip("/") + PATH, body=taken, local=True)


def as_json(request: ExactRequest) -> str:
    """The body, indented by two."""
    return _json(request.body)


def as_curl(request: ExactRequest) -> str:
    """A command for a POSIX shell. The body is a here-document: taken as it stands, and as long as need be."""
    # An interactive bash puts an earlier command in place of a "!", wherever it stands.
    text = _json(request.body).replace("!", "\\u0021")
    return f"""\
curl --no-buffer {_quoted(request.url)} \\
  -H "Authorization: Bearer ${KEY}" \\
  -H 'Content-Type: application/json' \\
  --data-binary @- <<'JSON'
{text}
JSON
"""


def as_python(request: ExactRequest) -> str:
    """A program for the openai package."""
    known = {name: value for name, value in request.body.items() if name not in body.EXTENSIONS}
    more = {name: value for name, value in request.body.items() if name in body.EXTENSIONS}
    arguments = [f"    {name}={_python(value, 1)},\n" for name, value in known.items()]
    if more:
        arguments.append(f"    extra_body={_python(more, 1)},\n")
    return f"""\
from openai import OpenAI

client = OpenAI(base_url={request.url.removesuffix(PATH)!r})  # the key is read from {KEY}
stream = client.chat.completions.create(
{"".join(arguments)})
for chunk in stream:
    for choice in chunk.choices:
        print(choice.delta.content or "", end="", flush=True)
print()
"""


def as_javascript(request: ExactRequest) -> str:
    """A program for Node, without packages. It prints the stream as it comes."""
    # As a property of an object literal, __proto__ would be no property but the object's prototype.
    text = re.sub(r'^(\s*)"__proto__":', r'\1["__proto__"]:', _json(request.body), flags=re.MULTILINE)
    text = text.replace("\n", "\n  ")
    return f"""\
fetch({json.dumps(request.url)}, {{
  method: "POST",
  headers: {{
    "Authorization": `Bearer ${{process.env.{KEY}}}`,
    "Content-Type": "application/json",
  }},
  body: JSON.stringify({text}),
}}).then(async (response) => {{
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) process.stdout.write(piece);
}});
"""


def _json(value: Any) -> str:
    """Indented JSON in which whatever cannot be seen is written out: a terminal would take some of it for a key."""
    text = json.dumps(value, ensure_ascii=False, indent=2).encode("utf-8", "replace").decode("utf-8")
    return "".join(char if char.isprintable() or char in _KEPT else json.dumps(char)[1:-1] for char in text)


def _quoted(text: str) -> str:
    """For a shell, whatever it needs."""
    return "'" + text.replace("'", "'\\''") + "'"


def _python(value: Any, depth: int) -> str:
    """A literal of Python, lists and dictionaries over several lines at this depth of indentation."""
    inner, outer = "    " * (depth + 1), "    " * depth
    if isinstance(value, dict) and value:
        items = "".join(f"{inner}{k!r}: {_python(v, depth + 1)},\n" for k, v in value.items())
        return f"{{\n{items}{outer}}}"
    if isinstance(value, list | tuple) and value:
        items = "".join(f"{inner}{_python(v, depth + 1)},\n" for v in value)
        return f"[\n{items}{outer}]"
    return repr(value)
