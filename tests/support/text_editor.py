"""People of headquarters who edit the texts of SMS and email in notifier; the fixtures are for its tests."""

import copy

import httpx
import pytest

from desk.chassis.crypto import TokenIssuer

ANSWERED = "میز خدمت سازمان حج و زیارت\nپاسخ درخواست شما آماده است.\nکد پیگیری: {{ code }}"


class Editor:
    """A person of headquarters, with a new assertion for each call."""

    def __init__(self, notifier, person, *, key="headquarters", office="headquarters"):
        self.app, self.person = notifier.app, person
        self.issuer = TokenIssuer(notifier.office_keys[key][0], office)

    async def call(self, method, path, body=None, *, audience="desk.texts"):
        claims = {"act": {"sub": self.person}} if self.person else {}
        token = self.issuer.issue(claims, audience=audience, seconds=60)[0]
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://notifier") as client:
            headers = {"Authorization": f"Bearer {token}"}
            return await client.request(method, f"/api/office/texts{path}", json=body, headers=headers)

    async def begin(self, **body):
        answer = await self.call("POST", "/drafts", {"note": "متن روشن‌تر", **body})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def save(self, draft, content):
        body = {"id": draft["id"], "revision": draft["revision"], "note": draft["note"], "content": content}
        return await self.call("PUT", "/drafts", body)

    async def propose(self, draft):
        return await self.call("POST", f"/drafts/{draft['id']}/proposal", {"revision": draft["revision"]})

    async def approve(self, draft, **body):
        return await self.call("POST", f"/drafts/{draft['id']}/approval", {"revision": draft["revision"], **body})

    async def preview(self, draft):
        found = (await self.call("GET", f"/drafts/{draft['id']}/preview")).json()
        return {(each["language"], each["notice"], each["channel"]): each for each in found}


@pytest.fixture
def author(notifier):
    return Editor(notifier, "author")


@pytest.fixture
def second(notifier):
    return Editor(notifier, "second")


@pytest.fixture
def drafted(author):
    """Save a draft with a change, and return it."""

    async def drafted(change, **begin):
        draft = await author.begin(**begin)
        content = copy.deepcopy(draft["content"])
        change(content)
        saved = await author.save(draft, content)
        assert saved.status_code == 200, saved.text
        return saved.json()

    return drafted


@pytest.fixture
def put_in_force(author, second, drafted):
    """Make a change of the newest version the next one."""

    async def put_in_force(change, **approval):
        draft = await drafted(change)
        assert (await author.propose(draft)).status_code == 200
        approved = await second.approve(draft, **approval)
        assert approved.status_code == 201, approved.text
        return approved.json()

    return put_in_force


@pytest.fixture
def refusals(author):
    """Return the errors with which a change is refused, by their places."""

    async def refusals(change):
        draft = await author.begin()
        content = copy.deepcopy(draft["content"])
        change(content)
        refused = await author.save(draft, content)
        assert refused.status_code == 422, refused.text
        assert refused.json()["code"] == "texts_invalid"
        return {each["field"]: each for each in refused.json()["errors"]}

    return refusals


def sms(text, notice="answered", language="fa"):
    return lambda content: content[language][notice]["sms"].update(text=text)


def email(notice="answered", language="fa", **changes):
    return lambda content: content[language][notice]["email"].update(changes)
