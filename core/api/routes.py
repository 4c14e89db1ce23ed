"""The addresses of the API, below `base`:

    GET   /v1/models   /v1/models/{id}            the local models; ids as `python -m core models` lists them
    POST  /v1/chat/completions   /v1/completions  answers, streamed with "stream": true
    POST  /v1/embeddings                          vectors of texts
    POST  /tokenize   /detokenize                 llama.cpp's
    GET   /health   /v1/health                    {"status": "ok"}; needs no key
    GET   /metrics                                Prometheus

Everything else below /v1 is 404 in OpenAI's shape. A model that the pages have loaded is used with the settings it is
loaded with; another one is loaded with the defaults by the first request for it.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property

import msgspec
from anyio import to_thread
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.api import asking, bodies
from core.api.chat import ChatShape
from core.api.completions import CompletionShape
from core.api.door import Door
from core.api.guard import Access
from core.api.meter import Meter
from core.api.offered import Offered, Served
from core.api.reading import Readings
from core.api.reply import Reply
from core.api.shapes import Object
from core.errors import N_, ParameterUnsupported, PathUnknown

Endpoint = Callable[[Request], Awaitable[Response]]


def routes(served: Callable[[], Served], *, access: Callable[[], Access], base: str = "") -> list[BaseRoute]:
    """The routes for a Starlette application or `st.App(routes=…)`.

    served: the catalogue and the shelf, asked for at each request; a Workbench has them. access: who may ask.
    base: the path that all of them are below, "" or "/path".
    """
    api = _Api(served)
    table: list[tuple[str, str, Endpoint]] = [
        ("GET", "/v1/models", api.models),
        ("GET", "/v1/models/{id:path}", api.model),
        ("POST", "/v1/chat/completions", api.chat),
        ("POST", "/v1/completions", api.complete),
        ("POST", "/v1/embeddings", api.embed),
        ("POST", "/tokenize", api.tokenize),
        ("POST", "/detokenize", api.detokenize),
        ("GET", "/health", api.health),
        ("GET", "/v1/health", api.health),
        ("GET", "/metrics", api.metrics),
        ("*", "/v1/{path:path}", api.unknown),
    ]

    def route(method: str, path: str, endpoint: Endpoint) -> Route:
        door = Middleware(Door, access, lambda: api.meter, path, endpoint == api.health)
        return Route(base + path, endpoint, methods=_METHODS if method == "*" else [method], middleware=[door])

    return [route(*row) for row in table]


_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class _Api:
    """The endpoints. What blocks is done in a thread."""

    def __init__(self, served: Callable[[], Served]) -> None:
        self._offered = Offered(served)

    @cached_property
    def meter(self) -> Meter:
        return Meter()

    @cached_property
    def readings(self) -> Readings:
        return Readings(self.meter)

    async def models(self, request: Request) -> Response:
        return _json({"object": "list", "data": await to_thread.run_sync(self._offered.listed)})

    async def model(self, request: Request) -> Response:
        return _json(await to_thread.run_sync(self._offered.described, request.path_params["id"]))

    async def chat(self, request: Request) -> Response:
        with self._offered.arriving():
            body = await bodies.read(request, bodies.Chat)
            asked = asking.chat(body)
            model = await to_thread.run_sync(self._offered.get, body.model)
            reading = self.readings.start(model, asked)
        shape = ChatShape(model.info.id, len(asked), logprobs=bool(body.logprobs), usage=_usage(body))
        return Reply(reading, shape, stream=bool(body.stream))

    async def complete(self, request: Request) -> Response:
        with self._offered.arriving():
            body = await bodies.read(request, bodies.Completion)
            asked = asking.completion(body)
            model = await to_thread.run_sync(self._offered.get, body.model)
            reading = self.readings.start(model, asked)
        shape = CompletionShape(model.info.id, len(asked), logprobs=body.logprobs is not None, usage=_usage(body))
        return Reply(reading, shape, stream=bool(body.stream))

    async def embed(self, request: Request) -> Response:
        body = await bodies.read(request, bodies.Embedding)
        texts = _texts(body)
        model = await to_thread.run_sync(self._offered.get, body.model)
        made = await to_thread.run_sync(model.embed, texts)
        form = _base64 if body.encoding_format == "base64" else list
        data = [
            {"object": "embedding", "index": number, "embedding": form(vector)}
            for number, vector in enumerate(made.vectors)
        ]
        usage = {"prompt_tokens": made.prompt_tokens, "total_tokens": made.prompt_tokens}
        return _json({"object": "list", "data": data, "model": model.info.id, "usage": usage})

    async def tokenize(self, request: Request) -> Response:
        body = await bodies.read(request, bodies.Tokenize)
        model = await to_thread.run_sync(self._offered.get, body.model)
        special = body.parse_special is not False
        made = await to_thread.run_sync(lambda: model.tokenize(body.content, special=special))
        pieces = [{"id": one, "piece": piece} for one, piece in zip(made.ids, made.pieces, strict=True)]
        return _json({"tokens": pieces if body.with_pieces else made.ids})

    async def detokenize(self, request: Request) -> Response:
        body = await bodies.read(request, bodies.Detokenize)
        model = await to_thread.run_sync(self._offered.get, body.model)
        return _json({"content": await to_thread.run_sync(model.detokenize, body.tokens)})

    async def health(self, request: Request) -> Response:
        return _json({"status": "ok"})

    async def metrics(self, request: Request) -> Response:
        loaded = await to_thread.run_sync(self._offered.loaded)
        return Response(self.meter.text(loaded), media_type="text/plain; version=0.0.4")

    async def unknown(self, request: Request) -> Response:
        raise PathUnknown(path=request.url.path)


def _json(value: Object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


def _usage(body: bodies.Generating) -> bool:
    return body.stream_options is not None and bool(body.stream_options.include_usage)


def _texts(body: bodies.Embedding) -> list[str]:
    if body.dimensions is not None:
        raise ParameterUnsupported(parameter="dimensions", detail=N_("the model's vectors have one length"))
    texts = [body.input] if isinstance(body.input, str) else body.input
    if not all(isinstance(one, str) for one in texts):
        raise ParameterUnsupported(parameter="input", detail=N_("the texts themselves are needed, not token ids"))
    return [one for one in texts if isinstance(one, str)]


def _base64(vector: Sequence[float]) -> str:
    """Little-endian 32-bit floats, as OpenAI packs them."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
