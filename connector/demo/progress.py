"""A progress bar in plain text: one line that is written over on a terminal, a few lines elsewhere."""

import threading
from collections.abc import Callable
from typing import TextIO

WIDTH = 28
FEW_LINES = 4


class Progress:
    """Shows how much is done; may be told from several threads."""

    def __init__(self, total: int, figures: Callable[[], tuple[int, int, int]], stream: TextIO) -> None:
        """`figures`: how many of all acts are played by now, and how many webhooks and mails have come."""
        self._total = max(total, 1)
        self._figures = figures
        self._stream = stream
        self._rewrites = stream.isatty()
        self._lock = threading.Lock()
        self._shown = ""
        self._step = -1

    def show(self) -> None:
        """Show how far it is; nothing when that is shown already."""
        with self._lock:
            done, webhooks, mails = self._figures()
            says = f"{done}/{self._total} acts played, {webhooks} webhooks sent, {mails} mails received"
            step = done * FEW_LINES // self._total
            if says == self._shown or (not self._rewrites and step == self._step):
                return
            self._shown, self._step = says, step
            filled = min(done, self._total) * WIDTH // self._total
            bar = f"[{'#' * filled}{'.' * (WIDTH - filled)}] {says}"
            self._stream.write(f"\r{bar}" if self._rewrites else f"{says}\n")
            self._stream.flush()

    def end(self) -> None:
        """Show the last figures and leave the line."""
        self._step = -1
        self.show()
        if self._rewrites:
            self._stream.write("\n")
            self._stream.flush()
