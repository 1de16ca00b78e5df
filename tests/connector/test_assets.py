"""The files all pages share are kept by browsers as long as they stay the same."""

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from connector.assets import FOLDER, asset, shared_files

FILES = sorted(path.name for path in FOLDER.iterdir())


@pytest.fixture
def pages() -> FlaskClient:
    app = Flask("connector", static_folder=None)
    app.register_blueprint(shared_files())
    return app.test_client()


@pytest.mark.parametrize("name", FILES)
def test_a_file_under_its_full_address_is_kept_for_a_year(pages: FlaskClient, name: str) -> None:
    answer = pages.get(asset(name))
    assert answer.data == (FOLDER / name).read_bytes()
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("name", "kind"), [("pages.css", "text/css"), ("refresh.js", "text/javascript"), ("icon.svg", "image/svg+xml")]
)
def test_browsers_are_told_what_a_file_is(pages: FlaskClient, name: str, kind: str) -> None:
    assert pages.get(asset(name)).content_type.split(";")[0] == kind


@pytest.mark.parametrize("query", ["", "?v=000000000000"])
def test_a_file_under_another_address_is_not_kept_for_long(pages: FlaskClient, query: str) -> None:
    assert pages.get(f"/assets/icon.svg{query}").headers["Cache-Control"] == "public, max-age=3600"


@pytest.mark.parametrize("name", ["nothing.css", "..%2fapp.py", "../app.py", "%2e%2e/settings.py"])
def test_nothing_else_is_given_out(pages: FlaskClient, name: str) -> None:
    assert pages.get(f"/assets/{name}").status_code == 404


def test_the_style_that_is_not_ours_has_its_licence_beside_it() -> None:
    assert "MIT" in (Path(FOLDER) / "pico.LICENSE.txt").read_text(encoding="utf-8")
