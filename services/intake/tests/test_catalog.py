import pytest


@pytest.fixture
def database_kind():
    """Run on SQLite alone: what these tests check does not depend on the database."""
    return "sqlite"


async def test_the_catalogue_has_all_31_provinces_with_their_area_codes(desk):
    provinces = (await desk.client.get("/api/catalog")).json()["provinces"]

    assert len({each["key"] for each in provinces}) == len(provinces) == 31
    assert {"key": "isfahan", "name": "اصفهان", "area_code": "031"} in provinces


async def test_the_catalogue_has_12_subjects_with_73_sub_subjects(desk):
    subjects = (await desk.client.get("/api/catalog")).json()["subjects"]

    assert len({subject["key"] for subject in subjects}) == len(subjects) == 12
    assert sum(len(subject["sub_subjects"]) for subject in subjects) == 73


async def test_every_sub_subject_has_a_deadline(desk):
    subjects = (await desk.client.get("/api/catalog")).json()["subjects"]

    assert subjects
    for subject in subjects:
        assert subject["sub_subjects"]
        assert set(subject) == {"key", "title", "title_en", "sub_subjects"}
        for sub_subject in subject["sub_subjects"]:
            assert set(sub_subject) - {"office"} == {"key", "title", "title_en", "answer_within_days"}
            assert sub_subject["answer_within_days"] >= 1


async def test_only_the_conduct_of_staff_is_not_handled_by_the_office_of_the_province(desk):
    subjects = (await desk.client.get("/api/catalog")).json()["subjects"]

    assigned = {
        each["key"]: each["office"] for subject in subjects for each in subject["sub_subjects"] if "office" in each
    }
    assert assigned == {"staff_conduct": "headquarters"}


async def test_no_subject_has_two_sub_subjects_of_one_key(desk):
    subjects = (await desk.client.get("/api/catalog")).json()["subjects"]

    assert subjects
    for subject in subjects:
        keys = [sub_subject["key"] for sub_subject in subject["sub_subjects"]]
        assert len(set(keys)) == len(keys)


async def test_the_catalogue_contains_the_limits_of_a_request(desk):
    limits = (await desk.client.get("/api/catalog")).json()["limits"]

    assert (limits["text_min"], limits["text_max"]) == (10, 4000)
    assert (limits["files_max"], limits["file_bytes_max"]) == (5, 7 * 1024 * 1024)
    assert {".pdf", ".jpg", ".png", ".heic", ".docx"} <= set(limits["extensions"])


async def test_a_caller_with_the_current_version_gets_no_body(desk):
    etag = (await desk.client.get("/api/catalog")).headers["etag"]

    answer = await desk.client.get("/api/catalog", headers={"If-None-Match": etag})

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == etag


@pytest.mark.parametrize(
    ("accepted", "encoding"), [("gzip, deflate, br", "gzip"), ("identity", None), ("gzip;q=0", None)]
)
async def test_the_catalogue_is_compressed_for_those_who_accept_it(desk, accepted, encoding):
    answer = await desk.client.get("/api/catalog", headers={"Accept-Encoding": accepted})

    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert len(answer.json()["provinces"]) == 31


async def test_a_weak_etag_or_a_list_of_etags_is_accepted(desk):
    etag = (await desk.client.get("/api/catalog")).headers["etag"].removeprefix("W/")

    for known in (f"W/{etag}", f'"older", {etag}', f'"older",W/{etag}', "*"):
        assert (await desk.client.get("/api/catalog", headers={"If-None-Match": known})).status_code == 304


async def test_a_caller_with_an_old_version_gets_the_new_one(desk):
    answer = await desk.client.get("/api/catalog", headers={"If-None-Match": '"older"'})

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=20"
