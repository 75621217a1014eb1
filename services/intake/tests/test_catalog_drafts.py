"""Versions of the catalogue: drafts, approval by a second person, and what a request of each version keeps."""

import asyncio
import copy
import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from desk.chassis.crypto import TokenIssuer, new_key_pair
from desk.intake.service.current_catalog import CurrentCatalog
from desk.iran.jalali import JalaliDate
from desk.testing.event_keys import decrypted

HEADQUARTERS_PRIVATE_KEY, HEADQUARTERS_PUBLIC_KEY = new_key_pair()
SUBJECT, SUB_SUBJECT = "hajj_deposit", "lost_receipt"
SHEBA = "IR580540105180021273113007"
FIELDS = [
    {"key": "receipt", "title": "شمارهٔ قبض", "title_en": "Receipt number", "kind": "receipt_number"},
    {"key": "sheba", "title": "شمارهٔ شبا", "title_en": "IBAN", "kind": "iban", "required": False},
    {"key": "lost_on", "title": "تاریخ گم شدن", "title_en": "Lost on", "kind": "date", "required": False},
    {
        "key": "place",
        "title": "محل",
        "title_en": "Place",
        "kind": "choice",
        "required": False,
        "choices": [
            {"key": "bank", "title": "بانک", "title_en": "Bank"},
            {"key": "home", "title": "خانه", "title_en": "Home"},
        ],
    },
]
DOCUMENTS = [{"key": "passport", "title": "تصویر گذرنامه", "title_en": "Passport"}]


@pytest.fixture
def settings(settings):
    keys = {**settings.office_signing_keys, "headquarters": HEADQUARTERS_PUBLIC_KEY}
    return settings.model_copy(update={"office_signing_keys": keys})


class Editor:
    """A person of headquarters, with a new assertion for each call."""

    def __init__(self, desk, person, *, key=HEADQUARTERS_PRIVATE_KEY, office="headquarters"):
        self.desk, self.person, self.issuer = desk, person, TokenIssuer(key, office)

    async def call(self, method, path, body=None, *, audience="desk.catalog"):
        claims = {"act": {"sub": self.person}} if self.person else {}
        token = self.issuer.issue(claims, audience=audience, seconds=60)[0]
        headers = {"Authorization": f"Bearer {token}"}
        return await self.desk.client.request(method, f"/api/office/catalog{path}", json=body, headers=headers)

    async def begin(self, note="تغییر مهلت", **body):
        answer = await self.call("POST", "/drafts", {"note": note, **body})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def save(self, draft, content):
        return await self.call("PUT", "/drafts", {**identified(draft), "note": draft["note"], "content": content})

    async def propose(self, draft):
        return await self.call("POST", f"/drafts/{draft['id']}/proposal", {"revision": draft["revision"]})

    async def approve(self, draft, **body):
        return await self.call("POST", f"/drafts/{draft['id']}/approval", {"revision": draft["revision"], **body})


def identified(draft):
    return {"id": draft["id"], "revision": draft["revision"]}


@pytest.fixture
def last_event(desk):
    """Return the data of the latest event as tracking reads it."""

    async def last_event():
        [*_, message] = await desk.events(1)
        return decrypted(message.body, "tracking")["data"]

    return last_event


@pytest.fixture
def author(desk):
    return Editor(desk, "author")


@pytest.fixture
def second(desk):
    return Editor(desk, "second")


def sub_subject(content, key=SUB_SUBJECT):
    return next(each for subject in content["subjects"] for each in subject["sub_subjects"] if each["key"] == key)


@pytest.fixture
def put_in_force(author, second):
    """Make a change of the newest version the next one."""

    async def put_in_force(change, **approval):
        draft = await author.begin()
        content = copy.deepcopy(draft["content"])
        change(content)
        saved = await author.save(draft, content)
        assert saved.status_code == 200, saved.text
        proposed = (await author.propose(saved.json())).json()
        approved = await second.approve(proposed, **approval)
        assert approved.status_code == 201, approved.text
        return approved.json()

    return put_in_force


async def test_a_change_by_two_people_is_in_force_and_the_first_version_is_kept(desk, author, put_in_force):
    version = await put_in_force(lambda content: sub_subject(content).update(answer_within_days=4))

    catalog = (await desk.client.get("/api/catalog")).json()
    listed = (await author.call("GET", "/versions")).json()
    first = (await author.call("GET", "/versions/1")).json()["content"]
    assert version["number"] == catalog["version"] == listed["in_force"] == 2
    assert sub_subject(catalog)["answer_within_days"] == 4
    assert sub_subject(first)["answer_within_days"] == 10
    assert [each["number"] for each in listed["versions"]] == [2, 1]
    assert (version["author"], version["approved_by"]) == ("author", "second")


async def test_a_draft_shows_what_differs(author):
    draft = await author.begin()
    content = copy.deepcopy(draft["content"])
    sub_subject(content).update(answer_within_days=4, guidance="قبض را پیوست کنید.")

    saved = (await author.save(draft, content)).json()

    path = f"subjects.{SUBJECT}.sub_subjects.{SUB_SUBJECT}"
    assert saved["changes"] == [
        {"path": f"{path}.answer_within_days", "before": 10, "after": 4},
        {"path": f"{path}.guidance", "before": "", "after": "قبض را پیوست کنید."},
    ]


async def test_the_editor_of_a_draft_cannot_approve_it(author, second, problem_of):
    draft = await author.begin()
    content = copy.deepcopy(draft["content"])
    sub_subject(content)["answer_within_days"] = 4
    saved = (await second.save(draft, content)).json()
    proposed = (await author.propose(saved)).json()

    for editor in (author, second):
        assert problem_of(await editor.approve(proposed), 403)["code"] == "second_person_needed"


async def test_a_draft_is_approved_only_as_it_was_proposed(author, second, problem_of):
    draft = await author.begin()
    assert problem_of(await author.propose(draft), 409)["code"] == "draft_unchanged"
    content = copy.deepcopy(draft["content"])
    sub_subject(content)["answer_within_days"] = 4
    saved = (await author.save(draft, content)).json()
    assert problem_of(await second.approve(saved), 409)["code"] == "draft_not_proposed"
    proposed = (await author.propose(saved)).json()
    sub_subject(content)["answer_within_days"] = 5
    again = (await author.save(proposed, content)).json()

    assert again["proposed_by"] is None
    assert problem_of(await second.approve(proposed), 409)["code"] == "draft_changed"
    assert problem_of(await author.save(proposed, content), 409)["code"] == "draft_changed"


async def test_a_draft_that_would_undo_a_later_version_is_refused(author, second, put_in_force, problem_of):
    draft = await author.begin()
    content = copy.deepcopy(draft["content"])
    sub_subject(content)["answer_within_days"] = 4
    proposed = (await author.propose((await author.save(draft, content)).json())).json()
    await put_in_force(lambda content: sub_subject(content).update(answer_within_days=6))

    assert problem_of(await second.approve(proposed), 409)["code"] == "draft_outdated"


async def test_two_drafts_that_are_approved_at_the_same_time_make_one_version(author, second, desk):
    proposals = []
    for days in (4, 5):
        draft = await author.begin()
        content = copy.deepcopy(draft["content"])
        sub_subject(content)["answer_within_days"] = days
        proposals.append((await author.propose((await author.save(draft, content)).json())).json())

    answers = await asyncio.gather(*(second.approve(each) for each in proposals))

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert await desk.count("catalog_version") == 2


async def test_a_return_to_an_earlier_version_is_a_new_version(desk, author, second, put_in_force):
    await put_in_force(lambda content: sub_subject(content).update(answer_within_days=4))
    draft = await author.begin(from_version=1)
    await second.approve((await author.propose(draft)).json())

    catalog = (await desk.client.get("/api/catalog")).json()
    assert (catalog["version"], sub_subject(catalog)["answer_within_days"]) == (3, 10)


async def test_a_version_for_later_is_in_force_at_its_time_on_every_replica(desk, put_in_force):
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    now = datetime.now(UTC)
    other = CurrentCatalog(desk.parts.database, clock=lambda: now)
    await put_in_force(lambda content: sub_subject(content).update(answer_within_days=4), in_force_at=at.isoformat())
    await other.run_once()

    assert other.get().version == (await desk.client.get("/api/catalog")).json()["version"] == 1
    now = at - timedelta(seconds=1)
    assert other.get().version == 1
    now = at
    assert other.get().version == 2
    assert other.get().catalog.choose(SUBJECT, SUB_SUBJECT)[1].answer_within_days == 4


async def test_a_version_can_be_cancelled_until_it_is_in_force(desk, author, put_in_force, problem_of):
    at = datetime.now(UTC) + timedelta(days=2)
    await put_in_force(lambda content: sub_subject(content).update(answer_within_days=4), in_force_at=at.isoformat())

    assert (await author.call("DELETE", "/versions/2")).status_code == 204
    version = await put_in_force(lambda content: sub_subject(content).update(answer_within_days=5))

    catalog = (await desk.client.get("/api/catalog")).json()
    assert (version["number"], catalog["version"], sub_subject(catalog)["answer_within_days"]) == (3, 3, 5)
    assert problem_of(await author.call("DELETE", "/versions/3"), 409)["code"] == "version_in_force"
    cancelled = (await author.call("GET", "/versions")).json()["versions"][1]
    assert cancelled["cancelled_by"] == "author"


async def test_a_version_is_not_in_force_before_an_approved_one(author, second, put_in_force, problem_of):
    at = datetime.now(UTC) + timedelta(days=2)
    await put_in_force(lambda content: sub_subject(content).update(answer_within_days=4), in_force_at=at.isoformat())
    draft = await author.begin(from_version=1)
    proposed = (await author.propose(draft)).json()

    assert problem_of(await second.approve(proposed), 422)["code"] == "in_force_at_too_early"


@pytest.mark.parametrize(
    ("change", "named"),
    {
        "an unknown office": (lambda content: sub_subject(content).update(office="atlantis"), "atlantis"),
        "no days": (lambda content: sub_subject(content).update(answer_within_days=0), "answer_within_days"),
        "a key twice": (
            lambda content: content["subjects"][0]["sub_subjects"].append(copy.deepcopy(sub_subject(content))),
            "lost_receipt",
        ),
        "a removed sub-subject": (lambda content: content["subjects"].pop(), "systems_feedback"),
        "an unknown part": (lambda content: content.update(colour="red"), "colour"),
        "a choice without values": (
            lambda content: sub_subject(content).update(fields=[{**FIELDS[0], "kind": "choice"}]),
            "receipt",
        ),
        "an end before its beginning": (
            lambda content: sub_subject(content).update(
                active_from="2026-12-02T00:00:00Z", active_until="2026-12-01T00:00:00Z"
            ),
            "active_until",
        ),
    }.values(),
)
async def test_content_that_breaks_a_rule_is_refused_and_named(author, problem_of, change, named):
    draft = await author.begin()
    content = copy.deepcopy(draft["content"])
    change(content)

    problem = problem_of(await author.save(draft, content), 422)

    assert problem["code"] == "catalog_invalid"
    assert named in json.dumps(problem["errors"])
    assert (await author.call("GET", f"/drafts/{draft['id']}")).json()["revision"] == 1


async def test_only_people_of_headquarters_see_and_change_versions(desk, author, province_private_keys, problem_of):
    isfahan = Editor(desk, "expert", key=province_private_keys["isfahan"], office="isfahan")
    nameless = Editor(desk, None)

    assert problem_of(await isfahan.call("GET", "/versions"), 403)["code"] == "office_not_permitted"
    assert problem_of(await nameless.call("POST", "/drafts", {"note": "تغییر"}), 403)["code"] == "person_missing"
    assert problem_of(await author.call("GET", "/drafts", audience="desk.files"), 401)["code"] == "assertion_invalid"
    assert problem_of(await desk.client.get("/api/office/catalog/drafts"), 401)["code"] == "assertion_missing"


async def test_every_action_is_audited(desk, author, put_in_force):
    await put_in_force(lambda content: sub_subject(content).update(answer_within_days=4))
    draft = await author.begin()
    await author.call("DELETE", f"/drafts/{draft['id']}")

    rows = await desk.select("SELECT actor, action FROM audit_entry ORDER BY at")
    assert [(actor.removeprefix("office headquarters "), action) for actor, action in rows] == [
        ("author", "catalog_draft_begun"),
        ("author", "catalog_draft_saved"),
        ("author", "catalog_draft_proposed"),
        ("second", "catalog_version_approved"),
        ("author", "catalog_draft_begun"),
        ("author", "catalog_draft_discarded"),
    ]


async def test_a_preview_shows_a_draft_to_those_who_have_its_address(desk, author, problem_of):
    draft = await author.begin()
    content = copy.deepcopy(draft["content"])
    sub_subject(content)["title"] = "عنوان تازه"
    await author.save(draft, content)

    preview = await desk.client.get(f"/api/catalog/previews/{draft['preview']}")

    assert sub_subject(preview.json())["title"] == "عنوان تازه"
    assert preview.headers["cache-control"] == "no-store"
    assert problem_of(await desk.client.get(f"/api/catalog/previews/{'x' * 32}"), 404)["code"] == "draft_not_found"


async def test_a_request_keeps_the_version_it_was_made_with(desk, put_in_force, zahra):
    receipt = (await desk.submit(token="")).json()
    await put_in_force(lambda content: sub_subject(content).update(answer_within_days=2, title="عنوان تازه"))

    body = {"national_id": zahra["sub"], "tracking_code": receipt["tracking_code"]}
    found = (await desk.client.post("/internal/requests/find", json=body)).json()
    later = (await desk.submit(token="")).json()
    assert (found["due_at"], found["sub_subject"]) == (receipt["due_at"], receipt["sub_subject"])
    assert later["due_at"] < receipt["due_at"]
    assert later["sub_subject"]["title"] == "عنوان تازه"
    assert await desk.select("SELECT catalog_version FROM request ORDER BY catalog_version") == [(1,), (2,)]


async def test_a_day_off_of_the_catalogue_moves_later_promises_only(desk, put_in_force):
    before = (await desk.submit(token="")).json()
    day = JalaliDate.parse(before["due_local"].split()[0]).to_gregorian().isoformat()
    await put_in_force(lambda content: content.update(holidays=[day]))

    assert (await desk.submit(token="")).json()["due_at"] > before["due_at"]


async def test_further_fields_and_documents_reach_the_experts(desk, put_in_force, last_event):
    await put_in_force(lambda content: sub_subject(content).update(fields=FIELDS, documents=DOCUMENTS))
    file = await desk.attachment()
    typed = {"receipt": "۱۲۳۴۵", "sheba": "58 0540 1051 8002 1273 1130 07", "lost_on": "۱۴۰۵/۹/۱", "place": "bank"}

    answer = await desk.submit(token="", fields=typed, attachments=[file], documents={"passport": file})

    assert answer.status_code == 201, answer.text
    data = await last_event()
    assert [(each["key"], each["value"], each["text"]) for each in data["fields"]] == [
        ("receipt", "12345", "12345"),
        ("sheba", SHEBA, "IR58 0540 1051 8002 1273 1130 07"),
        ("lost_on", "1405-09-01", "یکشنبه ۱ آذر ۱۴۰۵"),
        ("place", "bank", "بانک"),
    ]
    assert [each["document"] for each in data["attachments"]] == [{"key": "passport", "title": "تصویر گذرنامه"}]
    assert SHEBA.encode() not in await desk.written()


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({}, "fields.receipt", "field_missing"),
        ({"fields": {"receipt": "abc"}}, "fields.receipt", "field_receipt_number"),
        ({"fields": {"receipt": "12345", "sheba": SHEBA[:-1] + "8"}}, "fields.sheba", "field_iban"),
        ({"fields": {"receipt": "12345", "lost_on": "1405-13-01"}}, "fields.lost_on", "field_date"),
        ({"fields": {"receipt": "12345", "place": "moon"}}, "fields.place", "field_choice"),
        ({"fields": {"receipt": "12345", "colour": "red"}}, "fields.colour", "field_not_expected"),
    ],
)
async def test_a_wrong_field_is_named(desk, put_in_force, problem_of, *, changes, field, code):
    await put_in_force(lambda content: sub_subject(content).update(fields=FIELDS))

    problem = problem_of(await desk.submit(token="", **changes), 422)

    assert [(each["field"], each["code"]) for each in problem["errors"]] == [(field, code)]
    assert await desk.count("request") == 0


async def test_a_missing_or_unknown_document_is_named(desk, put_in_force, problem_of):
    await put_in_force(lambda content: sub_subject(content).update(documents=DOCUMENTS))

    missing = problem_of(await desk.submit(token=""), 422)
    foreign = problem_of(await desk.submit(token="", documents={"passport": str(uuid.uuid4())}), 422)

    assert [(each["field"], each["code"]) for each in missing["errors"]] == [("documents.passport", "document_missing")]
    assert [(each["field"], each["code"]) for each in foreign["errors"]] == [("documents.passport", "document_unknown")]


async def test_a_closed_desk_and_a_closed_sub_subject_say_their_own_sentences(desk, put_in_force, problem_of):
    closed = {"text": "تا پایان اربعین بسته است.", "text_en": "Closed until Arbaeen ends."}
    await put_in_force(lambda content: sub_subject(content).update(closures=[closed]))

    problem = problem_of(await desk.submit(token=""), 409)
    assert (problem["code"], problem["errors"][0]["message"]) == ("sub_subject_closed", closed["text"])
    assert (await desk.submit(token="", sub_subject="deposit_cancel")).status_code == 201
    await put_in_force(lambda content: content.update(closures=[closed]))
    problem = problem_of(await desk.submit(token="", sub_subject="deposit_cancel"), 409)
    assert (problem["code"], problem["errors"][0]["message"]) == ("desk_closed", closed["text"])


async def test_an_ended_sub_subject_and_an_ended_notice_are_not_shown(desk, put_in_force, problem_of):
    ended = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    notice = {"text": "زمان ثبت‌نام تمدید شد.", "text_en": "Extended.", "pages": ["send"], "active_until": ended}

    def change(content):
        sub_subject(content)["active_until"] = ended
        content["notices"] = [notice, {**notice, "active_until": None}]

    await put_in_force(change)

    catalog = (await desk.client.get("/api/catalog")).json()
    keys = [each["key"] for subject in catalog["subjects"] for each in subject["sub_subjects"]]
    assert SUB_SUBJECT not in keys
    assert [each["text"] for each in catalog["notices"]] == [notice["text"]]
    assert problem_of(await desk.submit(token=""), 422)["code"] == "sub_subject_unknown"


@pytest.mark.parametrize(
    "change",
    [
        lambda content: sub_subject(content).update(fields=FIELDS),
        lambda content: content.update(closures=[{"text": "بسته است.", "text_en": "Closed."}]),
    ],
    ids=["a new field", "a closed desk"],
)
async def test_a_repeat_after_a_change_gets_the_first_receipt(desk, put_in_force, change):
    key, form = str(uuid.uuid4()), desk.form()
    first = await desk.submit(form, key=key, token="")
    await put_in_force(change)

    repeated = await desk.submit(form, key=key, token="")

    assert (repeated.status_code, repeated.json()) == (201, first.json())
    assert await desk.count("request") == 1


async def test_a_way_back_keeps_the_keys_that_were_published_since(desk, author, second, put_in_force):
    new = {"key": "lost_card", "title": "کارت گم‌شده", "title_en": "Lost card", "answer_within_days": 5}
    await put_in_force(lambda content: content["subjects"][0]["sub_subjects"].append(new))
    draft = await author.begin(from_version=1)
    approved = await second.approve((await author.propose(draft)).json())

    assert approved.status_code == 201, approved.text
    shown = (await desk.client.get("/api/catalog")).json()
    kept = (await author.call("GET", "/versions/3")).json()["content"]
    assert "lost_card" not in [each["key"] for subject in shown["subjects"] for each in subject["sub_subjects"]]
    assert sub_subject(kept, "lost_card")["active_until"] is not None


async def test_a_version_with_drafts_is_not_cancelled(author, put_in_force, problem_of):
    at = datetime.now(UTC) + timedelta(days=2)
    await put_in_force(lambda content: sub_subject(content).update(answer_within_days=4), in_force_at=at.isoformat())
    draft = await author.begin()

    assert problem_of(await author.call("DELETE", "/versions/2"), 409)["code"] == "version_has_drafts"
    await author.call("DELETE", f"/drafts/{draft['id']}")
    assert (await author.call("DELETE", "/versions/2")).status_code == 204


async def test_a_cancellation_and_an_approval_at_the_same_time_do_not_both_succeed(author, second, put_in_force):
    at = datetime.now(UTC) + timedelta(days=2)
    await put_in_force(lambda content: sub_subject(content).update(answer_within_days=4), in_force_at=at.isoformat())
    draft = await author.begin()
    content = copy.deepcopy(draft["content"])
    sub_subject(content)["answer_within_days"] = 6
    proposed = (await author.propose((await author.save(draft, content)).json())).json()

    cancelled, approved = await asyncio.gather(
        author.call("DELETE", "/versions/2"), second.approve(proposed, in_force_at=at.isoformat())
    )

    assert (cancelled.status_code, approved.status_code) == (409, 201)


async def test_another_spelling_of_a_name_is_the_same_person(desk, author, problem_of):
    draft = await author.begin()
    content = copy.deepcopy(draft["content"])
    sub_subject(content)["answer_within_days"] = 4
    proposed = (await author.propose((await author.save(draft, content)).json())).json()

    assert problem_of(await Editor(desk, "AUTHOR").approve(proposed), 403)["code"] == "second_person_needed"


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z"])
async def test_a_moment_outside_all_calendars_is_refused(author, problem_of, moment):
    draft = await author.begin()
    content = copy.deepcopy(draft["content"])
    sub_subject(content)["active_from"] = moment

    assert problem_of(await author.save(draft, content), 422)["code"] == "catalog_invalid"


async def test_texts_are_stored_without_invisible_characters(author):
    draft = await author.begin(note="تغییر\x00 مهلت")
    content = copy.deepcopy(draft["content"])
    sub_subject(content)["title"] = "عنوان\u202e تازه"

    saved = (await author.save(draft, content)).json()

    assert (saved["note"], sub_subject(saved["content"])["title"]) == ("تغییر مهلت", "عنوان تازه")


async def test_a_new_order_is_a_difference(author):
    draft = await author.begin()
    content = copy.deepcopy(draft["content"])
    content["subjects"].reverse()

    [change] = (await author.save(draft, content)).json()["changes"]

    assert change["path"] == "subjects"
    assert change["after"] == change["before"][::-1]


async def test_one_file_is_not_two_documents(desk, put_in_force, problem_of):
    both = [*DOCUMENTS, {"key": "photo", "title": "عکس متقاضی", "title_en": "Photo"}]
    await put_in_force(lambda content: sub_subject(content).update(documents=both))
    file = await desk.attachment()

    documents = {"passport": file, "photo": file}
    problem = problem_of(await desk.submit(token="", attachments=[file], documents=documents), 422)

    assert {each["code"] for each in problem["errors"]} == {"document_unknown"}


async def test_requests_that_differ_in_a_field_are_not_the_same(desk, put_in_force):
    await put_in_force(lambda content: sub_subject(content).update(fields=FIELDS[:1]))

    for number in ("12345", "99999"):
        answer = await desk.submit(token="", fields={"receipt": number}, again=False)
        assert answer.status_code == 201, answer.text


async def test_a_replica_is_ready_once_it_has_read_the_versions(desk, put_in_force):
    await put_in_force(lambda content: sub_subject(content).update(answer_within_days=4))
    new = CurrentCatalog(desk.parts.database)
    assert new.get().version == 1

    await new.require_loaded()

    assert new.get().version == 2
