"""A referral carries every field of a request: those that intake publishes, by the published contract."""

import json
from pathlib import Path

import pytest

from desk.tracking.events import RequestReferred

CONTRACTS = Path(__file__).parents[3] / "contracts"
OF_THE_REFERRAL = {"province.key", "province.name", "office.key", "office.name", "due_at"}
"""What a referral changes."""


def resolved(schema, definitions):
    """Follow a reference; of a choice between a schema and null, take the schema."""
    if "$ref" in schema:
        return resolved(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    for choice in schema.get("anyOf", []):
        if choice.get("type") != "null":
            return {**schema, **resolved(choice, definitions)}
    return schema


def leaves_of(schema, definitions, path=""):
    """List the fields of a schema that have no fields themselves, by dotted path."""
    schema = resolved(schema, definitions)
    if "items" in schema:
        return leaves_of(schema["items"], definitions, path)
    if "properties" not in schema:
        return {path: schema}
    return {
        leaf: found
        for name, part in schema["properties"].items()
        for leaf, found in leaves_of(part, definitions, f"{path}.{name}" if path else name).items()
    }


def values_of(data, path=""):
    """List the values of event data in the same way, for lists with one item."""
    if isinstance(data, list):
        [data] = data
    if not isinstance(data, dict):
        return {path: data}
    return {
        leaf: value
        for name, part in data.items()
        for leaf, value in values_of(part, f"{path}.{name}" if path else name).items()
    }


def changed(data, path, value):
    first, _, rest = path.partition(".")
    return {**data, first: changed(data[first], rest, value) if rest else value}


@pytest.fixture
def published():
    """The fields of ``request-submitted`` as intake publishes it."""
    schemas = json.loads((CONTRACTS / "desk.asyncapi.json").read_text(encoding="utf-8"))["components"]["schemas"]
    return leaves_of(schemas["RequestSubmittedData"], schemas)


@pytest.fixture
def referral():
    """The fields of ``request-referred``."""
    schema = RequestReferred.model_json_schema(mode="serialization")
    return leaves_of(schema, schema["$defs"])


@pytest.fixture
def request_data(published, referral):
    """The published example, in which no field has the value that a referral would have without it."""
    data = json.loads((CONTRACTS / "events" / "request-submitted.json").read_text(encoding="utf-8"))["data"]
    for path, value in values_of(data).items():
        if value == referral.get(path, {}).get("default"):
            data = changed(data, path, next(each for each in published[path]["enum"] if each != value))
    return data


def test_the_published_request_has_its_known_fields(published):
    assert {"identity", "text", "applicant.national_id", "contact.language", "attachments.sha256"} <= published.keys()


def test_every_field_of_a_submission_is_a_field_of_a_referral(published, referral):
    assert published.keys() - referral.keys() == set()


async def test_every_field_of_a_submission_is_published_with_its_referral(
    tracking, submission, published, request_data
):
    assert values_of(request_data).keys() == published.keys()
    code = request_data["tracking_code"]
    await tracking.bus.handle(submission(code, **request_data))
    await tracking.report("case-referred", code)
    [referred] = await tracking.published("request-referred")
    referred["data"].pop("history")
    sent, received = values_of(request_data), values_of(referred["data"])
    assert {path: received.get(path) for path in sent.keys() - OF_THE_REFERRAL} == {
        path: value for path, value in sent.items() if path not in OF_THE_REFERRAL
    }
