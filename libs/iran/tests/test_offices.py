import pytest

from desk.iran.offices import HEADQUARTERS, OFFICES, Office, UnknownOfficeError, office
from desk.iran.provinces import PROVINCES


def test_each_province_has_an_office_and_headquarters_is_the_last() -> None:
    assert [each.key for each in OFFICES] == [*(each.key for each in PROVINCES), "headquarters"]


def test_an_office_is_found_by_its_key() -> None:
    assert office("headquarters") is HEADQUARTERS
    assert office("isfahan") == Office("isfahan", "اصفهان", "Isfahan")


@pytest.mark.parametrize("key", ["", "esfahan", "Isfahan", "desk"])
def test_an_unknown_office_is_refused(key: str) -> None:
    with pytest.raises(UnknownOfficeError, match="no office has this key"):
        office(key)
