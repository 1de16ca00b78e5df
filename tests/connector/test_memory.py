"""The calls into the C library, wherever the tests run."""

import ctypes

import pytest

from connector import memory


def test_arenas_are_shared_and_memory_is_given_back_without_a_fault() -> None:
    memory.share_arenas()
    memory.give_back()


def test_a_c_library_without_these_calls_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    memory.share_arenas()
    memory.give_back()
