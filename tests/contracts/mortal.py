"""Death around any call that changes something: the process is gone, and what it had not committed never was."""

from collections.abc import Callable
from typing import Any

from adapters.http import Answer, Request
from tests.contracts.connected import ImpatientWeb


class Killed(BaseException):
    """The process is gone; nothing after this line happens."""


class Fate:
    """Strikes once."""

    def __init__(self, call: int, *, after: bool) -> None:
        """Before this call leaves, or after its answer came; only calls that may change something count."""
        self.struck = False
        self._left = call
        self._after = after

    def web(self, **named: Any) -> "MortalWeb":
        """The way out of a process that will die; of all its lives the same fate."""
        made = MortalWeb(**named)
        made.fate = self
        return made

    def again(self, call: int) -> None:
        """Strike at this call, counted from now."""
        self._left, self.struck = call, False

    def never(self) -> None:
        """From now on all is well."""
        self.struck = True

    def before(self) -> None:
        self._left -= 1
        if not self._after:
            self._strike()

    def after(self) -> None:
        if self._after:
            self._strike()

    def _strike(self) -> None:
        if self._left == 0 and not self.struck:
            self.struck = True
            raise Killed


class MortalWeb(ImpatientWeb):
    """Asks as usual until fate strikes."""

    fate: Fate

    def ask(self, make: Callable[[], Request], **more: Any) -> Answer:
        if make().method == "GET":
            return super().ask(make, **more)
        self.fate.before()
        answer = super().ask(make, **more)
        self.fate.after()
        return answer
