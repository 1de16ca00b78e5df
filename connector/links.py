"""Links that only we can make: who holds one may see what it names, and nothing else (P8)."""

import hashlib

from itsdangerous import BadSignature, URLSafeSerializer

from connector.domain.errors import Permanent

DOCUMENTS = "/documents/"


class UnknownLink(Permanent):
    """This link was not made here, or not whole. Copy it again from the message it came in."""


class Links:
    """Signs and opens links. They hold ids and never a person's data (P10)."""

    def __init__(self, address: str, secret_keys: tuple[str, ...]) -> None:
        """`address`: our own, without a slash at its end; `secret_keys`: newest first, all of them open."""
        self._address = address
        # itsdangerous signs with the last key of its list.
        keys = [hashlib.sha256(f"links\0{key}".encode()).digest() for key in reversed(secret_keys)]
        self._documents = URLSafeSerializer(keys, salt="document")

    def document(self, shop_id: str, series: str, serial: int) -> str:
        """The address at which whoever has it can read one document."""
        return f"{self._address}{DOCUMENTS}{self._documents.dumps([shop_id, series, serial])}"

    def open_document(self, token: str) -> tuple[str, str, int]:
        """Shop id, series and place in it. Raises UnknownLink."""
        try:
            shop_id, series, serial = self._documents.loads(token)
            return str(shop_id), str(series), int(serial)
        except (BadSignature, TypeError, ValueError) as error:
            raise UnknownLink from error
