"""`connector doctor`: what is wrong anywhere, in plain words, and what to do."""

import argparse
import json

from connector.app import build_service
from connector.commands.parsing import Commands, add
from connector.doctor import diagnose
from connector.settings import load


def register(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the command."""
    doctor = add(commands, "doctor", "say what is wrong anywhere, and what to do about it", _doctor)
    doctor.add_argument("--json", action="store_true", help="as JSON")


def _doctor(parsed: argparse.Namespace) -> int:
    found = diagnose(build_service(load()))
    if parsed.json:
        print(json.dumps([{"where": one.where, "wrong": one.wrong, "do": one.do} for one in found], indent=1))
    else:
        for one in found:
            print(f"{one.where}: {one.wrong}\n    {one.do}")
        if not found:
            print("Nothing is wrong.")
    return 1 if found else 0
