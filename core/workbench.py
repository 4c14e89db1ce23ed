"""Everything of one running workbench, put together once: what is kept, the models, the answers, the conversations.

A server opens one for all its pages and routes; the command line opens one for itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

from core.answers import Answers
from core.arena.batch_run import Batches
from core.arena.comparing import Comparing
from core.arena.duel import Duels, reachable
from core.chat import Chat
from core.classroom.polls import Classroom
from core.energy.metering import Metering
from core.gguf.studies import Studies
from core.gguf.study_run import Bench
from core.hub.client import Hub
from core.hub.downloads import Downloads
from core.hub.judge import Judge
from core.jobs import Jobs
from core.models.base import ChatModel, ModelInfo
from core.models.breaker import Breaker
from core.models.catalog import Catalog
from core.models.in_turn import Turns
from core.models.local.model_settings import ModelSettings
from core.models.local.shelf import LocalModel, Shelf
from core.models.remote.connections import Connections, is_remote
from core.models.remote.keys import Keys
from core.models.remote.permit import Accounts
from core.models.remote.system_keyring import SystemKeyring
from core.models.routes import is_route
from core.models.unavailable import standing_in
from core.rag.asking import DocumentChat
from core.rag.collections import Collections
from core.rag.embed import Embeddings
from core.rag.files import Files
from core.rag.finding import Finding
from core.rag.index import SearchIndex
from core.routing import Routing
from core.settings import Settings
from core.store.batches import KeptBatches
from core.store.chunks import Chunks
from core.store.comparisons import Comparisons
from core.store.conversations import Conversations
from core.store.database import Database
from core.store.documents import Documents
from core.store.groundings import Groundings
from core.store.library import Library
from core.store.measurements import Measurements
from core.store.polls import Polls
from core.store.providers import Providers
from core.store.routes import Routes
from core.store.runs import Runs
from core.store.tally import Tally
from core.store.votes import Votes
from core.titles import Titles


@dataclass(frozen=True)
class Workbench:
    """The parts, ready to use. `close` stops the answers, which are kept as cut, and ends every model's process."""

    settings: Settings
    catalog: Catalog
    shelf: Shelf
    answers: Answers
    database: Database
    conversations: Conversations
    runs: Runs
    chat: Chat
    keys: Keys
    connections: Connections
    routes: Routes
    breaker: Breaker
    routing: Routing
    library: Library
    titles: Titles
    turns: Turns
    comparing: Comparing
    votes: Votes
    duels: Duels
    classroom: Classroom
    batches: Batches
    jobs: Jobs
    studies: Studies
    accounts: Accounts
    hub: Hub
    downloads: Downloads
    judge: Judge
    collections: Collections
    finding: Finding
    document_chat: DocumentChat

    def model(self, model_id: str | None = None, settings: ModelSettings | None = None) -> LocalModel:
        """The local model of this id, or the GGUF file at this path; None is the embedded one. Loaded when it is asked.

        Raises `ModelNotFound`, `ModelFileInvalid` or `SettingInvalid`.
        """
        return _model(self.catalog, self.shelf, model_id, settings)

    def chat_model(self, owner: str, model_id: str | None, settings: ModelSettings | None = None) -> ChatModel:
        """The model of this id, local, behind an endpoint, or a route, as this owner may use it; `settings` are a local
        one's.

        Raises what `model` raises, `AddressInvalid`, or `NotThere` for a route.
        """
        return _chat_model(self.catalog, self.shelf, self.connections, self.routing, owner, model_id, settings)

    def info(self, owner: str, model_id: str | None) -> ModelInfo:
        """What is known of the model of this id (None: the embedded one); no key is looked for.

        Raises as `chat_model`.
        """
        return _infos(self.catalog, self.connections, self.routing, owner)(model_id)

    def load_settings(self, owner: str, model_id: str) -> ModelSettings:
        """With what a new conversation of this owner loads a local model: what was found best, or the default."""
        return self.studies.bench.kept.load_settings(owner, model_id, ModelSettings) or ModelSettings()

    def keep_load_settings(self, owner: str, model_id: str, settings: ModelSettings | None) -> None:
        """From now on new conversations begin with these; None: with the default."""
        self.studies.bench.kept.keep_load_settings(owner, model_id, settings)

    def models(self, owner: str) -> list[ModelInfo]:
        """Every model that this owner can pick: the local ones, those of the endpoints they connected, their routes."""
        remote = (info for one in self.connections.list(owner) for info in one.models)
        routed = self.routing.infos(owner, _describing(self.catalog, self.connections, owner))
        return [*self.catalog.models(), *remote, *routed]

    def close(self) -> None:
        """Ends everything that runs."""
        self.classroom.end()
        self.jobs.close()
        self.collections.close()
        self.batches.close()
        self.titles.close()
        self.answers.close()
        self.shelf.close()
        self.database.close()


def _model(catalog: Catalog, shelf: Shelf, model_id: str | None, settings: ModelSettings | None = None) -> LocalModel:
    info = catalog.get(model_id)
    return shelf.model(info, catalog.path(info), settings)


def _chat_model(
    catalog: Catalog,
    shelf: Shelf,
    connections: Connections,
    routing: Routing,
    owner: str,
    model_id: str | None,
    settings: ModelSettings | None,
) -> ChatModel:
    def chosen(id: str) -> ChatModel:
        return _chat_model(catalog, shelf, connections, routing, owner, id, None)

    if model_id is not None and is_route(model_id):
        return routing.model(owner, model_id, chosen, _describing(catalog, connections, owner))
    if model_id is not None and is_remote(model_id):
        return connections.model(owner, model_id)
    return _model(catalog, shelf, model_id, settings)


def _describing(catalog: Catalog, connections: Connections, owner: str) -> Callable[[str], ModelInfo]:
    """Gives what is known of a model by its id, for where none is asked: no key is looked for."""

    @functools.cache
    def listed() -> dict[str, ModelInfo]:
        return {info.id: info for one in connections.list(owner) for info in one.models}

    def describe(id: str) -> ModelInfo:
        return (listed().get(id) or connections.info(id)) if is_remote(id) else catalog.get(id)

    return describe


def _infos(
    catalog: Catalog, connections: Connections, routing: Routing, owner: str
) -> Callable[[str | None], ModelInfo]:
    """As `_describing`, of routes too; None is the embedded model."""
    describe = _describing(catalog, connections, owner)

    def info(id: str | None) -> ModelInfo:
        if id is None:
            return catalog.get(None)
        return routing.info(owner, id, describe) if is_route(id) else describe(id)

    return info


def open_workbench(settings: Settings) -> Workbench:
    """A workbench over this data folder. Answers that a killed process left unfinished become *cut*.

    Raises `StoreUnavailable`.
    """
    workbench = beside(settings)
    workbench.conversations.recover()
    workbench.library.purge()
    workbench.classroom.recover()
    workbench.batches.recover()
    workbench.studies.recover()
    workbench.collections.recover()
    return workbench


def beside(settings: Settings) -> Workbench:
    """The same for a command, beside a server over the same folder: answers that are being written there go on.

    Raises `StoreUnavailable`.
    """
    database = Database(settings.database)
    conversations, runs = Conversations(database), Runs(database)
    catalog = Catalog(settings)
    shelf = Shelf(budget_bytes=settings.memory_bytes, measured=Metering().measured)
    answers = Answers()
    providers = Providers(database)
    keys = _keys(settings, providers)
    accounts = Accounts(providers, runs)
    connections = Connections(providers, keys, accounts)
    routes, breaker = Routes(database), Breaker()
    routing = Routing(routes, Tally(database), breaker)
    model: Callable[[str, str | None, ModelSettings], ChatModel] = functools.partial(
        _chat_model, catalog, shelf, connections, routing
    )
    chat = Chat(conversations, runs, answers, model)
    turns, votes, jobs = Turns(), Votes(database), Jobs()
    describing = functools.partial(_infos, catalog, connections, routing)
    comparing = Comparing(
        Comparisons(database),
        conversations,
        Chat(conversations, runs, answers, standing_in(model), kind="compare"),
        answers,
        turns,
        describing,
        lambda: shelf.cores.busy,
    )
    models = functools.partial(reachable, catalog, connections)
    duels = Duels(comparing, conversations, votes, answers, models, describing)
    library = Library(database)
    titles = Titles(conversations, library, answers, model)
    hub, jobs = Hub(settings), Jobs()
    collections = _collections(settings, database, catalog, shelf, connections, jobs, providers)
    finding = Finding(collections, jobs)
    document_chat = Chat(conversations, runs, answers, model, kind="rag")
    return Workbench(
        settings=settings,
        catalog=catalog,
        shelf=shelf,
        answers=answers,
        database=database,
        conversations=conversations,
        runs=runs,
        chat=chat,
        keys=keys,
        connections=connections,
        routes=routes,
        breaker=breaker,
        routing=routing,
        library=library,
        titles=titles,
        turns=turns,
        comparing=comparing,
        votes=votes,
        duels=duels,
        classroom=Classroom(Polls(database)),
        batches=Batches(KeptBatches(database), answers, turns, model, describing, Tally(database)),
        jobs=jobs,
        studies=Studies(Bench(Measurements(database), settings.home / "measurements", turns, settings.models), jobs),
        accounts=accounts,
        hub=hub,
        downloads=Downloads(hub, settings.models, jobs),
        judge=Judge(
            hub,
            settings,
            catalog,
            Tally(database),
            turns,
            budget=lambda: shelf.budget_bytes,
            busy=lambda: shelf.cores.busy,
        ),
        collections=collections,
        finding=finding,
        document_chat=DocumentChat(conversations, document_chat, finding, Groundings(database)),
    )


def _collections(
    settings: Settings,
    database: Database,
    catalog: Catalog,
    shelf: Shelf,
    connections: Connections,
    jobs: Jobs,
    providers: Providers,
) -> Collections:
    chunks = Chunks(database)
    embeddings = Embeddings(
        settings.embeddings, connections, functools.partial(_model, catalog, shelf), lambda: catalog.models()
    )
    index = SearchIndex(chunks, settings.index, server=settings.chroma)
    return Collections(Documents(database), chunks, Files(settings.documents), embeddings, index, jobs, providers)


def _keys(settings: Settings, providers: Providers) -> Keys:
    """With this machine's own keys only where they are for everybody who asks."""
    if settings.machine_keys:
        return Keys(providers, keyring=SystemKeyring(), secrets=settings.secrets)
    return Keys(providers, environ={})
