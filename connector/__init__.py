"""Connector makes one truthful timeline of a shop's order webhooks and tells the customer about each event once."""

__version__ = "0.1.0"
