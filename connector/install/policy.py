"""What a browser may do with our pages: load our own style, and nothing else unless they stand inside a platform's."""

import re
from urllib.parse import urlsplit

from adapters.contract import Script

STANDING_ALONE = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_ORIGIN = re.compile(r"https://[a-z0-9.-]+(:[0-9]+)?", re.ASCII)


def inside(ancestors: tuple[str, ...], script: Script | None) -> str:
    """The policy of a page that these origins may show inside theirs. Raises ValueError for anything but origins."""
    scripts = [_origin(script.address)] if script else []
    reached = [*scripts, *map(_checked, script.talks_to if script else ())]
    rules = {
        "default-src": ["'none'"],
        "script-src": ["'self'", *scripts],
        "connect-src": ["'self'", *reached],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": [*map(_checked, ancestors)] or ["'none'"],
    }
    return "; ".join(f"{rule} {' '.join(sources)}" for rule, sources in rules.items())


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return _checked(f"{parts.scheme}://{parts.netloc}")


def _checked(origin: str) -> str:
    if not _ORIGIN.fullmatch(origin):
        raise ValueError("what stands in a policy must be an https origin")
    return origin
