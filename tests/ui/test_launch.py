import socket
from pathlib import Path

import pytest

from lab.core.errors import ConfigError
from lab.core.workspace import create
from lab.ui import figures
from lab.ui.launch import HOST, bundled_config, flatten, free_port, launch_config, require_free
from lab.ui.navigation import VIEWS, path
from lab.ui.state import WORKSPACE_VARIABLE, workspace

ROOT = Path(__file__).parents[2]


def test_a_taken_port_is_named_with_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError) as caught:
            require_free(port)
    assert caught.value.value == port
    assert "--port" in caught.value.next_step
    require_free(free_port())


def test_settings_are_flattened_and_safe() -> None:
    assert dict(flatten({"a": {"b": {"c": 1}}, "d": 2})) == {"a.b.c": 1, "d": 2}
    config = launch_config(4711)
    assert config["server.address"] == HOST and config["server.port"] == 4711
    assert config["browser.gatherUsageStats"] is False
    assert config["server.allowedHosts"] == ["127.0.0.1", "localhost"]
    assert config["server.enableStaticServing"] is False
    assert "server.enableAgentApi" not in config


def test_the_theme_and_the_figures_share_their_colours() -> None:
    config = bundled_config()
    assert tuple(config["theme.light.chartCategoricalColors"]) == figures.LIGHT
    assert tuple(config["theme.dark.chartCategoricalColors"]) == figures.DARK


def test_every_page_is_in_the_menu_and_every_entry_is_a_page() -> None:
    files = {file.stem for file in (ROOT / "pages").glob("*.py")}
    assert files == {view.name for view in VIEWS}
    assert all(Path(path(name)).is_file() for name in files)


def test_an_absent_workspace_becomes_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WORKSPACE_VARIABLE, str(tmp_path / "new"))
    assert workspace() == create(tmp_path / "new")


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two colours (WCAG 2)."""

    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_are_readable(theme: str) -> None:
    config = bundled_config()
    paper = str(config[f"theme.{theme}.backgroundColor"])
    assert contrast(str(config[f"theme.{theme}.textColor"]), paper) >= 7
    assert contrast(str(config[f"theme.{theme}.linkColor"]), paper) >= 4.5
    for colour in config[f"theme.{theme}.chartCategoricalColors"]:
        assert contrast(colour, paper) >= 3, colour
