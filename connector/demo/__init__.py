"""The demo: the real service, stand-in shops that send to it, and a mailbox to look into."""

from connector.demo.show import run_demo

__all__ = ["run_demo"]
