"""The progress bar, on a terminal and elsewhere."""

import io

from connector.demo.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_one_line_is_written_over_and_left_at_the_end() -> None:
    figures, stream = [(0, 0, 0), (5, 9, 2), (10, 21, 7)], Terminal()
    progress = Progress(10, lambda: figures[0], stream)
    progress.show()
    figures.pop(0)
    progress.show()
    progress.show()
    figures.pop(0)
    progress.end()
    lines = stream.getvalue().split("\r")
    assert [line.count("#") for line in lines] == [0, 0, 14, 28]
    assert stream.getvalue().endswith("10/10 acts played, 21 webhooks sent, 7 mails received\n")


def test_elsewhere_there_are_a_few_plain_lines() -> None:
    done, stream = [0], io.StringIO()
    progress = Progress(100, lambda: (done[0], 0, 0), stream)
    for done[0] in range(100):
        progress.show()
    progress.end()
    assert "\r" not in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == 5
