"""Keeping the process small where the C library would not by itself; only glibc has these calls and needs them."""

import ctypes

_M_ARENA_MAX = -8
"""mallopt(3)."""


def share_arenas() -> None:
    """Let all threads share two arenas: by default each gets its own and keeps what was freed in it.

    To be called before the first thread starts.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(ctypes.c_int(_M_ARENA_MAX), ctypes.c_int(2))


def give_back() -> None:
    """Hand freed memory back to the system, as after a wave of large orders or invoices; malloc_trim(3)."""
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is not None:
        malloc_trim(ctypes.c_size_t(0))
