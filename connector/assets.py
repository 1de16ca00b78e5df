"""The files all our pages share: style, icon and one small script, kept by browsers until they change."""

import hashlib
import mimetypes
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, abort, request

FOLDER = Path(__file__).parent / "static"
A_YEAR = 365 * 24 * 3600
AN_HOUR = 3600


def shared_files() -> Blueprint:
    """Everything under /assets/, and `asset` for templates, which gives a file's address."""
    blueprint = Blueprint("shared", __name__)
    blueprint.add_url_rule("/assets/<name>", view_func=_file, endpoint="file")
    blueprint.add_app_template_global(asset)
    return blueprint


@cache
def asset(name: str) -> str:
    """The address of a shared file; it changes with the content. Raises KeyError for a file there is not."""
    return f"/assets/{name}?v={hashlib.sha256(_contents()[name]).hexdigest()[:12]}"


def _file(name: str) -> Response:
    content = _contents().get(name)
    if content is None:
        abort(404)
    response = Response(content, mimetype=mimetypes.guess_type(name)[0])
    fresh = request.full_path == asset(name)
    response.cache_control.public = True
    response.cache_control.max_age = A_YEAR if fresh else AN_HOUR
    response.cache_control.immutable = fresh
    return response


@cache
def _contents() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in FOLDER.iterdir()}
