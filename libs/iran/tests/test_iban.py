import pytest

from desk.iran.iban import Iban, InvalidIbanError

VALID = "IR580540105180021273113007"


@pytest.mark.parametrize(
    "text",
    [
        VALID,
        "580540105180021273113007",
        "IR58 0540 1051 8002 1273 1130 07",
        "ir580540105180021273113007",
        "IR۵۸۰۵۴۰۱۰۵۱۸۰۰۲۱۲۷۳۱۱۳۰۰۷",
    ],
)
def test_an_iban_is_read_as_people_write_it(text):
    assert Iban.parse(text).value == VALID


def test_it_is_shown_in_groups():
    assert Iban.parse(VALID).grouped == "IR58 0540 1051 8002 1273 1130 07"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "format"),
        ("IR58054010518002127311300", "format"),
        ("DE89370400440532013000", "format"),
        ("IR580540105180021273113008", "checksum"),
        ("IR850540105180021273113007", "checksum"),
    ],
)
def test_anything_else_is_refused(text, reason):
    with pytest.raises(InvalidIbanError) as refused:
        Iban.parse(text)

    assert refused.value.reason == reason
