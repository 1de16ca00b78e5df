"""Every reason has a sentence a merchant can read (P11)."""

import pytest

from notifications.reasons import SENTENCES, Reason, sentence


@pytest.mark.parametrize("reason", list(Reason))
def test_p11_every_reason_has_a_sentence_of_its_own(reason: Reason) -> None:
    said = sentence(reason.value)
    assert said == SENTENCES[reason]
    assert said[0].isupper()
    assert said.endswith(".")
    assert list(SENTENCES.values()).count(said) == 1


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert sentence("from a later version") == "from a later version"
    assert sentence("") == ""


def test_codes_fit_into_labels_and_columns() -> None:
    assert all(reason.value.isidentifier() and len(reason.value) <= 32 for reason in Reason)
