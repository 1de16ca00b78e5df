"""How commands are put together."""

import argparse
from collections.abc import Callable

Commands = argparse._SubParsersAction  # argparse has no public name for what holds commands
Run = Callable[[argparse.Namespace], int]
"""Carries a command out: 0 when it did its work, 1 when it could not."""


def add(commands: "Commands[argparse.ArgumentParser]", name: str, says: str, run: Run) -> argparse.ArgumentParser:
    """A command with its help."""
    parser = commands.add_parser(name, help=says, description=says[0].upper() + says[1:] + ".")
    parser.set_defaults(run=run)
    return parser


def group(commands: "Commands[argparse.ArgumentParser]", name: str, says: str) -> "Commands[argparse.ArgumentParser]":
    """A command that has commands of its own."""
    parser = commands.add_parser(name, help=says, description=says[0].upper() + says[1:] + ".")
    return parser.add_subparsers(required=True, metavar="ACTION")
