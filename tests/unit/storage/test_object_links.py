"""A link opens one file, under one name, until one moment."""

import pytest
from pydantic import SecretStr

from schemas.errors import Forbidden
from storage.object_links import sign, verify_signature

SECRET = SecretStr("s" * 32)
SIGNATURE = sign(SECRET, "reports/a.pdf", 1000, "a.pdf")


def test_a_link_is_good_until_it_ends() -> None:
    verify_signature([SECRET], "reports/a.pdf", 1000, "a.pdf", SIGNATURE, now_s=999.9)
    with pytest.raises(Forbidden, match="expired; ask for a new one"):
        verify_signature([SECRET], "reports/a.pdf", 1000, "a.pdf", SIGNATURE, now_s=1000)


@pytest.mark.parametrize(
    ("key", "expires", "filename", "signature"),
    [
        ("reports/b.pdf", 1000, "a.pdf", SIGNATURE),
        ("reports/a.pdf", 9999, "a.pdf", SIGNATURE),
        ("reports/a.pdf", 1000, "b.pdf", SIGNATURE),
        ("reports/a.pdf", 1000, "a.pdf", "é"),
        ("reports/a.pdf", 1000, "a.pdf", ""),
    ],
)
def test_a_changed_link_is_refused(key: str, expires: int, filename: str, signature: str) -> None:
    with pytest.raises(Forbidden, match="was changed"):
        verify_signature([SECRET], key, expires, filename, signature, now_s=0)


def test_another_secret_makes_another_signature() -> None:
    assert sign(SecretStr("t" * 32), "reports/a.pdf", 1000, "a.pdf") != SIGNATURE


def test_a_link_of_the_key_before_is_good_while_that_key_is_kept() -> None:
    new = SecretStr("n" * 32)
    verify_signature([new, SECRET], "reports/a.pdf", 1000, "a.pdf", SIGNATURE, now_s=0)
    with pytest.raises(Forbidden, match="was changed"):
        verify_signature([new], "reports/a.pdf", 1000, "a.pdf", SIGNATURE, now_s=0)
