"""How Magento's REST API says no: a message with its placeholders left in, and what stood for them beside it."""

import json
from collections.abc import Mapping, Sequence

from adapters.twins import Answered

JSON_TYPE = "application/json; charset=utf-8"


class Refused(Exception):
    """An answer that is an error. `parameters` fill the message's placeholders, which Magento leaves to the reader."""

    def __init__(
        self,
        status: int,
        message: str,
        parameters: Mapping[str, object] | Sequence[object] = (),
        errors: Sequence["Refused"] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.parameters = parameters
        self.errors = errors

    @property
    def words(self) -> str:
        """The message as a person reads it, its placeholders filled."""
        given = self.parameters
        named = (
            given.items() if isinstance(given, Mapping) else ((str(place), one) for place, one in enumerate(given, 1))
        )
        words = self.message
        for name, value in named:
            words = words.replace(f"%{name}", str(value))
        return words

    def answered(self) -> Answered:
        """As REST answers it (source: Framework/Webapi/Rest/Response)."""
        return Answered(self.status, php_json(self._document()), content_type=JSON_TYPE)

    def _document(self) -> dict[str, object]:
        document: dict[str, object] = {"message": self.message}
        if self.errors:
            document["errors"] = [{"message": one.message, "parameters": one.parameters} for one in self.errors]
        if self.parameters:
            document["parameters"] = self.parameters
        return document


def php_json(value: object) -> bytes:
    """JSON as PHP writes it: everything beyond ASCII and every slash escaped."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/").encode()


def no_such_entity() -> Refused:
    return Refused(404, "The entity that was requested doesn't exist. Verify the entity and try again.")


def required(*names: str) -> Refused:
    """What is said when parameters are missing (source: Framework/Exception/InputException)."""
    missing = [Refused(400, '"%fieldName" is required. Enter and try again.', {"fieldName": name}) for name in names]
    if len(missing) == 1:
        return missing[0]
    return Refused(400, "One or more input exceptions have occurred.", errors=missing)


def wrong_type(value: object, wanted: str) -> Refused:
    message = 'The "%value" value\'s type is invalid. The "%type" type was expected. Verify and try again.'
    return Refused(400, message, {"value": value, "type": wanted})


def internal_error() -> Refused:
    """What production mode shows of any mistake Magento did not foresee (source: Framework/Webapi/ErrorProcessor)."""
    report = "webapi-6741b2f0a3c5e"
    return Refused(500, f"Internal Error. Details are available in Magento log file. Report ID: {report}")
