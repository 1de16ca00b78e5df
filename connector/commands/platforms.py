"""`connector <platform> <file type>`: files by which an operator registers an app with a platform."""

import argparse
from functools import partial
from pathlib import Path

import adapters
from connector.commands.parsing import Commands, add, group
from connector.domain.errors import WrongSetting
from connector.settings import Settings, load


def register(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add a command for each platform that wants such a file."""
    for name in adapters.NAMES:
        connect = adapters.manifest(name).connect
        if connect is None or connect.operator_file is None:
            continue
        file_name = connect.operator_file("", "")[0]
        title = adapters.manifest(name).title
        actions = group(commands, name, f"register your own app with {title}")
        says = f"write {file_name} for your address and your app's client id"
        write = add(actions, Path(file_name).suffix.lstrip("."), says, partial(_write, name))
        write.add_argument("--print", action="store_true", dest="shown", help="print it instead of writing it")
        write.add_argument("--force", action="store_true", help="write over a file that is there")


def _write(platform: str, parsed: argparse.Namespace) -> int:
    settings = load()
    connect = adapters.manifest(platform).connect
    assert connect is not None  # noqa: S101  # for mypy: register looked
    assert connect.operator_file is not None  # noqa: S101
    file_name, content = connect.operator_file(*_known(settings, platform))
    if parsed.shown:
        print(content, end="")
        return 0
    path = Path(file_name)
    if path.exists() and not parsed.force:
        raise WrongSetting(f"{file_name} is there already; look at it with --print, or write over it with --force")
    path.write_text(content, encoding="utf-8")
    print(f"{file_name} is written.")
    return 0


def _known(settings: Settings, platform: str) -> tuple[str, str]:
    client_id = settings.app(platform).client_id
    if not settings.address:
        raise WrongSetting("CONNECTOR_ADDRESS is missing: the https address the platform reaches you by")
    if not client_id:
        raise WrongSetting(f"CONNECTOR_APP_IDS is missing: set it to {platform}:<your app's client id>")
    return settings.address, client_id
