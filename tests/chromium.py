"""The system's Chromium, for tests that look at pages as a person would."""

import shutil
from pathlib import Path

INSTALL_HINT = "Chromium is missing; on Debian: apt-get install chromium"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> Path | None:
    """Return the first Chromium on the PATH."""
    return next((Path(path) for path in map(shutil.which, NAMES) if path), None)
