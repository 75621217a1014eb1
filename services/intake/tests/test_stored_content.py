"""What is stored of a request stays readable, and counts as the same content, from one version to the next."""

import dataclasses
import json

import pytest
from pydantic import TypeAdapter

from desk.intake.domain import Content
from desk.intake.events import ContentData

CONTENT = TypeAdapter(Content)
OLD = {"applicant": {}, "contact": {}, "text": "متن درخواست"}
"""The parts of a document from before there were further fields and documents."""
DOCUMENT = OLD | {
    "fields": [{"key": "iban", "title": "شبا", "kind": "iban", "value": "IR06", "text": "IR06"}],
    "documents": {"0f8fad5b-d9cb-469f-a165-70867728950e": {"key": "passport", "title": "گذرنامه"}},
}


@pytest.mark.parametrize("document", [OLD, DOCUMENT])
def test_a_stored_document_is_read_and_written_with_the_same_names(document):
    content = CONTENT.validate_python(json.loads(json.dumps(document)))

    written = json.loads(CONTENT.dump_json(content))
    kept = {"fields": [], "documents": {}} | document
    assert {name: written[name] for name in ("text", "fields", "documents")} == {
        name: kept[name] for name in ("text", "fields", "documents")
    }


def test_a_new_field_of_the_content_has_a_default():
    fields = dataclasses.fields(Content)
    needed = [
        each.name
        for each in fields
        if each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
    ]

    assert needed == ["text"]


def test_everything_published_of_the_content_is_stored():
    assert set(ContentData.model_fields) <= {each.name for each in dataclasses.fields(Content)}
