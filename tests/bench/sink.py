"""Takes mails as fast as it can: prints its port, then a line (monotonic, ns) for each mail it has taken."""

import os
import sys
import time

from tests.smtp_sink import Conversation, SmtpSink


class TellingSink(SmtpSink):
    """Says when each mail was there."""

    def _take(self, talk: Conversation, stuffed: bytes) -> None:
        super()._take(talk, stuffed)
        os.write(1, b"%d\n" % time.monotonic_ns())


def main() -> None:
    """Serve until the input ends; with `silent` it tells nothing of its mails."""
    kind = SmtpSink if "silent" in sys.argv else TellingSink
    with kind(keep=False) as sink:
        os.write(1, b"%d\n" % sink.port)
        sys.stdin.read()


if __name__ == "__main__":
    main()
