import hashlib

from desk.iran.digits import fold
from desk.iran.jalali import JalaliDate
from desk.iran.national_id import NationalId
from desk.registry_gateway.adapters.simulator import people

# Demonstrations and other services' tests name these people: a change of the list is a change for them.
FINGERPRINT = "882ba098d3112134"


def test_there_are_two_hundred_persons_with_distinct_numbers():
    assert len({person.identity.national_id for person in people()}) == len(people()) == 200


def test_the_synthetic_persons_are_the_same_on_every_machine():
    listed = "\n".join(
        f"{person.identity.national_id.value} {person.identity.birth_date.isoformat()} {person.identity.first_name} "
        f"{person.identity.last_name} {person.identity.gender} {person.deceased}"
        for person in people()
    )

    assert hashlib.sha256(listed.encode()).hexdigest()[:16] == FINGERPRINT


def test_every_number_is_valid_as_typed():
    numbers = [person.identity.national_id for person in people()]

    assert len(numbers) == 200
    assert [NationalId.parse(number.value) for number in numbers] == numbers


def test_some_numbers_begin_with_one_zero_and_some_with_two():
    numbers = [person.identity.national_id.value for person in people()]

    assert sum(number.startswith("00") for number in numbers) == 20
    assert sum(number.startswith("0") for number in numbers) == 40


def test_some_have_died():
    assert sum(person.deceased for person in people()) == 6


def test_both_genders_are_equally_many():
    assert sum(person.identity.gender == "female" for person in people()) == 100


def test_some_were_born_on_the_leap_day():
    leap_children = [p for p in people() if p.identity.birth_date.month == 12 and p.identity.birth_date.day == 30]

    assert len(leap_children) >= 4


def test_they_were_born_between_1310_and_1390():
    birth_dates = [person.identity.birth_date for person in people()]

    assert min(birth_dates) >= JalaliDate(1310, 1, 1)
    assert max(birth_dates) <= JalaliDate(1390, 12, 29)


def test_their_names_are_written_as_the_desk_stores_names():
    names = {name for person in people() for name in (person.identity.first_name, person.identity.last_name)}

    assert len(names) > 40
    assert {fold(name) for name in names} == names


def test_the_repr_of_a_person_contains_no_personal_data():
    person = people()[0]

    assert person.identity.last_name not in f"{person!r} {person.identity!r}"
    assert person.identity.national_id.value not in f"{person!r} {person.identity!r}"
