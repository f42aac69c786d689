"""The page in a browser that reaches no network."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from made_page import browsed
from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return browsed(tmp_path_factory.mktemp("browsed"))


@pytest.fixture
def opened(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Give what opens a page; at the end, nothing may have been asked for and nothing have gone wrong."""
    troubles: list[str] = []
    contexts = []

    def open_page(path: Path, place: str = "", **context: Any) -> Page:
        contexts.append(chromium.new_context(offline=True, reduced_motion="reduce", **context))
        view = contexts[-1].new_page()
        view.on("console", lambda message: troubles.append(message.text))
        view.on("pageerror", lambda error: troubles.append(str(error)))
        view.on("dialog", lambda dialog: troubles.append(dialog.message))
        view.on(
            "request", lambda request: request.url.startswith((path.as_uri(), "data:")) or troubles.append(request.url)
        )
        view.goto(f"{path.as_uri()}{place}")
        return view

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []
