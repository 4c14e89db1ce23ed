"""What tests of the Quantization page's views share: nobody's own files are looked at, and what is drawn is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No program of whoever runs the tests is looked at: LM Studio's folder is this one, the others are not there."""
    for name in ("HOME", "OLLAMA_MODELS", "HF_HUB_CACHE", "LLAMA_CACHE", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "nowhere"))
    monkeypatch.setenv("WORKBENCH_LM_STUDIO", str(tmp_path / "studio"))
    from pages.quantization import source

    source._elsewhere.clear()
    return tmp_path / "studio"


def run(at: AppTest) -> AppTest:
    at.run()
    assert not at.exception
    return at


def words(at: AppTest) -> str:
    drawn = [*at.markdown, *at.caption, *at.info, *at.warning, *at.error, *at.subheader]
    return "\n".join(str(one.value) for one in drawn).replace("\\", "")


def titles(at: AppTest) -> list[str]:
    return [chart.proto.alt for chart in at.get("plotly_chart")]
