"""A case is found by every spelling of a word, in the name, the subject and the request's text."""

import asyncio

import pytest
from sqlalchemy import delete, update
from support.console_service import CODE, event

from desk.console.domain.search import INDEX_VERSION, index_words, search_terms
from desk.console.store.tables import case, case_word
from desk.console.workers import index_outdated_cases

APPLICANT = {"national_id": "8275737168", "birth_date": "1361-12-05", "gender": "female"}


@pytest.fixture
async def found(console, browse):
    """Return a function that returns whether a search finds the case."""
    await console.account("expert")
    browser = await browse().sign_in("expert")

    async def found(search):
        return f'data-tracking-code="{CODE}"' in await browser.open("/cases", params={"q": search})

    return found


NAMES = [
    ("فانوس\u200cپل", ["فانوس پل", "فانوس\u200cپل", "فانوسپل", "پل فانوس"]),
    ("فانوس پل", ["فانوس پل", "فانوس\u200cپل", "فانوسپل"]),
    ("فانوسپل", ["فانوس پل", "فانوس\u200cپل", "فانوسپل"]),
    ("آمنه", ["امنه", "آمنه"]),
    ("رضائی", ["رضایی", "رضائي"]),
    ("مـحـمد", ["محمد", "مُحَمَّد"]),
]


@pytest.mark.parametrize(("name", "searched"), [(name, each) for name, all_of in NAMES for each in all_of])
async def test_a_name_is_found_in_every_spelling(console, found, name, searched):
    await console.handle(event("request-submitted", 1, applicant=APPLICANT | {"first_name": "نرگس", "last_name": name}))
    assert await found(searched)


@pytest.mark.parametrize("searched", ["ودیعه گذاری", "ودیعه\u200cگذاری", "ودیعهگذاری", "بانک", "۱۴۰۵", "وديعه گذاري"])
async def test_words_of_the_request_are_found(console, found, searched):
    await console.handle(event("request-submitted", 1, text="برای ودیعه\u200cگذاری به بانک رفتم.\nسال ۱۴۰۵ بود."))
    assert await found(searched)
    assert not await found(f"{searched} ناموجود")


async def test_cases_are_indexed_again_after_the_rules_have_changed(console, found):
    await console.handle(event("request-submitted", 1, text="برای ودیعه\u200cگذاری به بانک رفتم."))
    async with console.database.transaction() as session:
        await session.execute(delete(case_word))
        await session.execute(update(case).values(index_version=INDEX_VERSION - 1))
    assert not await found("ودیعه گذاری")
    await asyncio.wait_for(index_outdated_cases(console.database, console.encryption), 60)
    assert await found("ودیعه گذاری")
    assert await found("نرگس باراندشت")


def test_words_of_two_sentences_are_not_joined():
    assert index_words("پل. فانوس\nچراغ") == {"پل", "فانوس", "چراغ"}


def test_a_number_in_groups_is_one_term():
    assert search_terms("۱۲۳۴ ۵۶۷۸ ۹۰۱۸") == [("123456789018",)]
