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

MODEL_HELP = "an id that `models` lists, or the path of a GGUF file; left out: the model that comes with the workbench"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Returns the exit code; `SystemExit` after --help, and for what it does not understand."""
    args = _parser().parse_args(arguments)
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

    commands.add_parser("models", help="list the models within reach")

    chat = commands.add_parser("chat", help="ask a model one question")
    chat.add_argument("prompt", metavar="PROMPT", help="the question; - reads it from standard input")
    chat.add_argument("--model", metavar="ID", help=MODEL_HELP)
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
    gguf.add_argument("path", metavar="PATH", help="a GGUF file, or an id that `models` lists")

    for command in commands.choices.values():
        command.add_argument("--json", action="store_true", help="write JSON for programs")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(_positive(part) for part in text.split(","))


if __name__ == "__main__":
    sys.exit(main())
