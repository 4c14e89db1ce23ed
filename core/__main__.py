"""The command line over core: `python -m core --help`.

Exit codes: 0 done; 1 a `WorkbenchError` (message and hint on standard error; with --json the object {"error",
"message", "hint"} on standard output), stopped with Ctrl-C, or nobody reads what is written; 2 the command was not
understood. Progress is shown where standard error is a terminal. A command's module is imported when it runs, so that
asking for help is quick.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from core.errors import WorkbenchError

BASE_URL_HELP = "the address of an OpenAI-compatible API; its key is read from OPENAI_API_KEY"
MODEL_HELP = "an id that `models` lists, or the path of a GGUF file; left out: the model that comes with the workbench"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Returns the exit code; `SystemExit` after --help, and for what it does not understand."""
    parser = _parser()
    args = parser.parse_args(arguments)
    if args.command == "chat" and args.base_url is not None and args.model is None:
        parser.error("--base-url needs --model; `models --base-url` lists what there is")
    if args.command == "providers" and args.model is not None and args.test is None:
        parser.error("--model is for --test")
    try:
        return int(importlib.import_module(f"core.cli.{args.command}").run(args))
    except WorkbenchError as error:
        from core.cli import terminal

        terminal.write_error(error, as_json=args.json)
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:
        # Python writes what is left in the buffer when it ends, and would complain of the pipe once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m core", description="The workbench without its pages: local language models on this machine."
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    models = commands.add_parser("models", help="list the models within reach")
    models.add_argument("--base-url", metavar="URL", help=BASE_URL_HELP)

    chat = commands.add_parser("chat", help="ask a model one question")
    chat.add_argument("prompt", metavar="PROMPT", help="the question; - reads it from standard input")
    chat.add_argument("--model", metavar="ID", help=MODEL_HELP + "; route:NAME; with --base-url: its name there")
    chat.add_argument("--base-url", metavar="URL", help=BASE_URL_HELP)
    chat.add_argument("--system", metavar="S", help="the system prompt")
    chat.add_argument("--max-tokens", metavar="N", type=_positive, help="end the answer after this many tokens")
    chat.add_argument("--temperature", metavar="T", type=float, default=0.8, help="0 is greedy (default: %(default)s)")
    chat.add_argument("--seed", metavar="N", type=int, help="the same seed gives the same answer")

    bench = commands.add_parser("bench", help="measure how fast a model is on this machine")
    bench.add_argument("--model", metavar="ID", help=MODEL_HELP)
    bench.add_argument("--prompt-tokens", metavar="N", type=_positive, default=512, help="(default: %(default)s)")
    bench.add_argument("--generate", metavar="N", type=_positive, default=128, help="tokens (default: %(default)s)")
    bench.add_argument(
        "--parallel", metavar="N,N", type=_numbers, default="1,4,8", help="requests at once (default: %(default)s)"
    )
    bench.add_argument(
        "--repeat",
        metavar="N",
        type=_positive,
        default=3,
        help="rounds, of which the median counts (default: %(default)s)",
    )

    gguf = commands.add_parser("gguf", help="show what a GGUF file holds and the memory it takes")
    gguf.add_argument(
        "path",
        metavar="PATH",
        help="a GGUF file, an id that `models` lists, or hf://OWNER/NAME/FILE: of that only the header is fetched",
    )

    quantize = commands.add_parser("quantize", help="make smaller files of a model, with fewer bits a weight")
    quantize.add_argument("source", metavar="SOURCE", help="a GGUF file, or an id that `models` lists; best f16 or f32")
    quantize.add_argument("types", metavar="TYPE", nargs="+", help="as Q4_K_M; one file is made for each")
    quantize.add_argument("--out", metavar="DIR", required=True, help="the folder that the files are written to")
    quantize.add_argument("--pure", action="store_true", help="the same type for every tensor, no mixture")
    quantize.add_argument("--output-type", metavar="T", help="another type for the output tensor, as Q6_K")
    quantize.add_argument("--embedding-type", metavar="T", help="another type for the token embeddings")
    quantize.add_argument("--imatrix", metavar="FILE", help="an importance matrix, as llama-imatrix writes it")
    quantize.add_argument("--threads", metavar="N", type=_positive, help="(default: the physical cores)")
    quantize.add_argument("--plan", action="store_true", help="only say what each tensor would become")

    evaluate = commands.add_parser("evaluate", help="measure a model's perplexity, and how far it is from a reference")
    evaluate.add_argument("model", metavar="MODEL", help="a GGUF file, or an id that `models` lists")
    evaluate.add_argument("--text", metavar="FILE", required=True, help="a text in UTF-8; or english, or french")
    evaluate.add_argument("--reference", metavar="MODEL", help="the same model with more bits, to compare with")
    evaluate.add_argument("--context", metavar="N", type=_positive, default=512, help="(default: %(default)s)")
    evaluate.add_argument("--chunks", metavar="N", type=_positive, help="(default: as many as the text has)")

    providers = commands.add_parser("providers", help="list the providers that are known, and whether each has a key")
    providers.add_argument("--probe", action="store_true", help="find the model servers that run on this machine")
    providers.add_argument("--test", metavar="URL", help="test a connection step by step; asks one short question")
    providers.add_argument("--model", metavar="NAME", help="with --test: which of its models is asked")

    rank = commands.add_parser("rank", help="rank the models in a file of votes, and say how sure that is")
    rank.add_argument(
        "votes", metavar="VOTES", help="CSV, JSONL or Parquet: exported here, by Compar'IA or by an arena"
    )
    rank.add_argument("--category", metavar="C", help="only votes on questions of this category")
    rank.add_argument("--language", metavar="L", help="only votes on questions in this language, as fr")
    rank.add_argument(
        "--voters",
        metavar="V,V",
        type=_voters,
        default="people,class",
        help="whose votes: people, class, judge (default: %(default)s)",
    )
    rank.add_argument("--style", action="store_true", help="take out what length and layout of the answers win")
    rank.add_argument(
        "--rounds", metavar="N", type=_positive, help="of the bootstrap (default: by the number of models)"
    )

    compare = commands.add_parser("compare", help="ask several models the same prompts, and compare what they say")
    compare.add_argument(
        "--models", metavar="A,B", type=_names, required=True, help="ids that `models` lists, or paths"
    )
    compare.add_argument(
        "--prompts",
        metavar="FILE",
        required=True,
        help="a text with a prompt a line, CSV or JSONL; - reads standard input; or a set, as reasoning.en",
    )
    compare.add_argument("--repeat", metavar="K", type=_positive, default=1, help="(default: %(default)s)")
    compare.add_argument("--max-tokens", metavar="N", type=_positive, help="end each answer after this many tokens")
    compare.add_argument(
        "--temperature", metavar="T", type=float, default=0.8, help="0 is greedy (default: %(default)s)"
    )
    compare.add_argument("--seed", metavar="N", type=int, help="the same seed gives the same answers")
    compare.add_argument("--system", metavar="S", help="the system prompt")
    compare.add_argument("--judge", metavar="MODEL", help="a model that compares the answers by twos, in both orders")

    _add_hub(commands.add_parser("hub", help="find GGUF models on the Hugging Face Hub, and download them"))
    rag = commands.add_parser("rag", help="documents: take them in, search them, ask them, measure it")
    actions = rag.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = actions.add_parser(
        "add", help="files, folders or web pages into a collection, which is made where there is none"
    )
    add.add_argument("collection", metavar="COLLECTION", help="its name or its id")
    add.add_argument("paths", metavar="PATH", nargs="+", help="a file, a folder, or an address of the public web")
    add.add_argument("--password", metavar="P", help="opens documents that are encrypted")
    add.add_argument("--embedding", metavar="ID", help="of a new collection (default: all-MiniLM-L6-v2, English first)")
    add.add_argument(
        "--chunker", metavar="C", help="of a new collection: sentences, headings, pages, recursive, semantic"
    )
    add.add_argument("--size", metavar="N", type=_positive, help="tokens of a chunk in a new collection (default: 200)")
    add.add_argument("--overlap", metavar="N", type=int, help="tokens that it has of the one before (default: 40)")
    _rag_questions(actions)

    serve = commands.add_parser("serve", help="serve the local models to other programs, without the pages")
    serve.add_argument(
        "--host", metavar="HOST", default="127.0.0.1", help="the address to listen on (default: %(default)s)"
    )
    serve.add_argument("--port", metavar="N", type=int, default=8502, help="0 takes a free one (default: %(default)s)")

    for command in (*commands.choices.values(), *actions.choices.values()):
        command.add_argument("--json", action="store_true", help="write JSON for programs")
    return parser


def _add_hub(hub: argparse.ArgumentParser) -> None:
    actions = hub.add_subparsers(dest="action", metavar="ACTION", required=True)
    search = actions.add_parser("search", help="list repositories with GGUF files")
    search.add_argument("query", metavar="QUERY", help="part of the name; '' lists all")
    search.add_argument("--author", metavar="A", help="only of this account")
    search.add_argument("--language", metavar="L", help="only for this language, as fr")
    search.add_argument("--licence", metavar="L", help="only under this licence, as apache-2.0")
    search.add_argument("--at-least", metavar="B", type=float, help="only with so many billion parameters or more")
    search.add_argument("--at-most", metavar="B", type=float, help="only with so many billion parameters or fewer")
    search.add_argument(
        "--sort",
        choices=("downloads", "likes", "last_modified", "trending_score"),
        default="downloads",
        help="(default: %(default)s)",
    )
    search.add_argument("--limit", metavar="N", type=_positive, default=20, help="(default: %(default)s)")
    files = actions.add_parser("files", help="list the quantizations of one, and how each suits this machine")
    files.add_argument("repository", metavar="REPO", help="OWNER/NAME")
    download = actions.add_parser("download", help="download one; goes on where an earlier download was left")
    download.add_argument("repository", metavar="REPO", help="OWNER/NAME")
    download.add_argument("file", metavar="FILE", help="a file that `files` lists, or its quantization, as Q4_K_M")
    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="write JSON for programs")


def _rag_questions(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """What is asked of documents that are there."""
    search = actions.add_parser("search", help="the passages of a collection that are found for a question")
    search.add_argument("collection", metavar="COLLECTION", help="its name or its id")
    search.add_argument("query", metavar="QUERY", help="a question, or words")
    ask = actions.add_parser("ask", help="a question answered from a collection, with citations")
    ask.add_argument("collection", metavar="COLLECTION", help="its name or its id")
    ask.add_argument("question", metavar="QUESTION", help="the question; - reads it from standard input")
    ask.add_argument("--model", metavar="ID", help=MODEL_HELP)
    ask.add_argument("--whole", action="store_true", help="give the model the whole documents, if they fit")
    ask.add_argument("--max-tokens", metavar="N", type=_positive, help="end the answer after this many tokens")
    ask.add_argument("--temperature", metavar="T", type=float, default=0.2, help="0 is greedy (default: %(default)s)")
    ask.add_argument("--seed", metavar="N", type=int, help="the same seed gives the same answer")
    evaluate = actions.add_parser("evaluate", help="how well passages are found; no model is asked")
    evaluate.add_argument(
        "path", metavar="PATH", help="a folder with corpus.jsonl, queries.jsonl, qrels/test.tsv; or CSV or JSONL"
    )
    evaluate.add_argument("--collection", metavar="COLLECTION", help="what the questions of a file are asked of")
    evaluate.add_argument("--embedding", metavar="ID", help="for a folder (default: all-MiniLM-L6-v2, English first)")
    for one in (search, ask):
        one.add_argument("--method", choices=("hybrid", "dense", "bm25", "rrf"), default="hybrid", help="(%(default)s)")
        one.add_argument("--weight", metavar="A", type=_share, help="of the vectors, 0 to 1 (default: as calibrated)")
        one.add_argument("--limit", metavar="N", type=_positive, default=6, help="passages (default: %(default)s)")
        one.add_argument("--diversity", metavar="D", type=_share, default=0.0, help="0 to 1 (default: %(default)s)")
        one.add_argument("--document", metavar="NAME", action="append", help="only in this one; may be repeated")
    for one in (search, ask, evaluate):
        one.add_argument("--reranker", metavar="FOLDER", help="a cross-encoder of sentence-transformers")


def _share(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return number


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def _voters(text: str) -> tuple[str, ...]:
    chosen = tuple(text.split(","))
    if unknown := sorted(set(chosen) - {"people", "class", "judge"}):
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)} is not one of people, class, judge")
    return chosen


def _names(text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    if not names:
        raise argparse.ArgumentTypeError("there is no model in it")
    return names


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(_positive(part) for part in text.split(","))


if __name__ == "__main__":
    sys.exit(main())
