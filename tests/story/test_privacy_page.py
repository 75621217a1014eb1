"""Every sentence of the privacy page, in both languages, is a promise that a test checks.

The sentences of the two languages stand in the same order, each under the start of the English one. A new or changed
sentence fails here until its tests are named.
"""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECTIONS = ("kept", "seen", "protected", "device", "rights")
INTAKE, TRACKING, NOTIFIER = "services/intake/tests", "services/tracking/tests", "services/notifier/tests"
OF_PROVINCES = "deploy/rabbitmq/tests/test_refusals.py::test_a_province_is_refused"
CANARIES = "tests/story/test_canaries.py::test_no_planted_value_is_readable_in_any_store_or_log"
ONLY_ARROWS = (
    "deploy/k8s/tests/test_network.py::test_the_policies_allow_the_arrows_of_the_diagram_and_the_jobs_and_nothing_else"
)
NO_OTHER_HOST = "tests/gateway/test_answers.py::test_the_policy_of_pages_allows_nothing_unsafe_and_no_other_host"
PROMISES = (
    (
        "National ID and date of birth:",
        f"{INTAKE}/test_requests.py::test_the_names_come_from_the_identity_token_and_not_from_the_form",
        "services/registry-gateway/tests/test_sweeps.py::test_a_sweep_from_one_source_ends_after_five_look_ups",
    ),
    ("Mobile phone, and if you like", "tests/story/test_story_on_real_parts.py"),
    (
        "Name, national ID and mobile phone of a person",
        f"{INTAKE}/test_representatives.py::test_the_event_names_the_representative_apart_from_the_applicant",
        f"{TRACKING}/test_representatives.py::test_the_applicant_reads_who_sent_the_request_but_no_number_of_that_person",
    ),
    ("Province, subject, text and files:", "tests/story/test_console_on_real_parts.py"),
    (
        "The experts of the province you choose",
        OF_PROVINCES,
        f"{INTAKE}/test_case_files.py::test_a_file_of_another_province_is_reported_as_unknown",
    ),
    (
        "Headquarters learns of late answers",
        f"{TRACKING}/test_deadlines.py::test_a_late_answer_is_published_to_headquarters_once_after_a_second_period",
    ),
    (
        "A request about the conduct of staff",
        f"{TRACKING}/test_headquarters.py::test_headquarters_takes_a_case_over_and_answers",
        f"{TRACKING}/test_headquarters.py::test_the_second_objection_is_a_case_of_headquarters",
        "tests/story/test_headquarters.py::test_a_complaint_about_staff_reaches_headquarters_and_not_the_province",
    ),
    (
        "The civil registry learns",
        "services/registry-gateway/tests/test_audit.py::test_no_identity_is_returned_unless_the_look_up_is_recorded",
    ),
    (
        "If an office registers your request",
        f"{INTAKE}/test_counter.py::test_an_office_reads_the_names_of_a_person_and_this_is_recorded",
        f"{INTAKE}/test_counter.py::test_a_registered_request_names_its_source_and_who_helped",
        "services/registry-gateway/tests/test_offices.py::test_the_person_sees_that_an_office_looked_up",
    ),
    (
        "A person who has the mobile phone of your request",
        f"{TRACKING}/test_own_requests.py::test_neither_another_number_nor_another_mobile_finds_them",
        f"{TRACKING}/test_own_requests.py::test_the_mobile_of_a_representative_who_is_not_the_contact_finds_nothing",
    ),
    (
        "The provider of text messages",
        f"{NOTIFIER}/test_rendering.py::test_an_sms_does_not_contain_what_a_person_wrote",
    ),
    (
        "If you give an email address",
        f"{NOTIFIER}/test_rendering.py::test_an_email_contains_what_the_experts_wrote_line_by_line",
    ),
    ("No other receiver gets anything", ONLY_ARROWS, NO_OTHER_HOST),
    (
        "Personal data is encrypted where it is stored",
        CANARIES,
        "tests/story/test_canaries.py::test_with_one_encryption_removed_the_search_finds_the_value",
    ),
    (
        "Every file is checked for malware",
        f"{INTAKE}/test_scans.py::test_while_the_scanner_is_down_a_request_goes_on_and_its_file_waits",
        f"{INTAKE}/test_scans.py::test_malware_found_later_is_deleted_and_never_handed_out",
    ),
    (
        "A file that goes with no request",
        f"{INTAKE}/test_upload_cleanup.py::test_a_file_no_request_claimed_within_a_day_is_deleted",
    ),
    (
        "The tracking page shows you each time",
        f"{TRACKING}/test_lookups.py",
        f"{TRACKING}/test_opened_cases.py::test_the_history_says_that_an_expert_opened_the_case",
        "console/tests/test_audit.py::test_the_desk_learns_once_a_day_that_an_expert_opened_a_case",
    ),
    (
        "While you fill the form",
        "tests/browser/test_drafts.py::test_another_tab_has_no_draft",
        "tests/browser/test_drafts.py::test_the_form_can_be_cleared",
    ),
    (
        "After sending, only the receipt stays",
        "tests/browser/test_drafts.py::test_after_success_only_the_receipt_is_kept",
        "tests/browser/test_drafts.py::test_a_new_request_replaces_the_receipt",
    ),
    (
        "One cookie remembers the language",
        "tests/gateway/test_language.py::test_a_chosen_language_is_remembered_and_a_new_choice_overrides_it",
    ),
    ("There are no other cookies", NO_OTHER_HOST),
    (
        "You see all of your request",
        "tests/browser/test_other_settings.py::test_a_request_is_tracked_and_withdrawn_by_keyboard_only",
    ),
    (
        "You correct the mobile number on the same page",
        f"{TRACKING}/test_contacts.py::test_the_new_mobile_is_that_of_the_request_and_the_office_gets_it",
        f"{TRACKING}/test_contacts.py::test_the_code_must_be_that_of_the_new_number",
        f"{NOTIFIER}/test_contact_changed.py::test_the_former_mobile_and_the_email_are_warned_without_the_new_number",
    ),
    (
        "A request is erased two years after",
        f"{TRACKING}/test_erasures.py::test_each_final_state_has_its_term_and_an_open_case_has_none",
    ),
    (
        "Its text, files, contacts and messages",
        "tests/story/test_erasure.py",
        f"{TRACKING}/test_erasures.py::test_an_erased_case_keeps_no_personal_data_and_no_key",
    ),
    (
        "Encrypted copies end later",
        "libs/chassis/tests/test_outbox_and_relay.py::test_a_sent_event_is_deleted_after_a_day",
        "deploy/rabbitmq/tests/test_definitions.py::test_every_dead_letter_expires_after_thirty_days",
        "deploy/k8s/tests/test_stores.py::test_backups_of_the_databases_are_kept_for_thirty_days",
        "tests/story/test_backup_of_keys.py::test_a_backup_from_before_an_erasure_does_not_restore_the_erased_data",
    ),
    ("You may ask the Hajj and Pilgrimage office", f"{TRACKING}/test_privacy.py"),
    ("For any question", "tests/gateway/test_language.py::test_every_page_exists_in_both_languages"),
)


def sentences_of(language):
    words = tomllib.loads((ROOT / f"gateway/words/{language}.toml").read_text(encoding="utf-8"))["privacy"]
    text = "\n".join(words[section]["text"] for section in SECTIONS)
    plain = re.sub(r"<[^>]+>", "", re.sub(r"</(li|p)>", "\n", text))
    return [each.strip() for each in re.split(r"(?<=[.؟!])\s+|\n", plain) if each.strip()]


def test_every_english_sentence_has_its_tests_and_the_persian_page_says_as_much():
    english = sentences_of("en")

    assert [
        sentence for sentence, (start, *_) in zip(english, PROMISES, strict=True) if not sentence.startswith(start)
    ] == []
    assert len(sentences_of("fa")) == len(english)


@pytest.mark.parametrize("language", ["fa", "en"])
def test_the_page_shows_every_sentence(language):
    page = (ROOT / f"gateway/web/{language}/privacy.html").read_text(encoding="utf-8")
    shown = " ".join(re.sub(r"<[^>]+>", "", page).split())

    assert [each for each in sentences_of(language) if each not in shown] == []


@pytest.mark.parametrize("test", sorted({test for _, *tests in PROMISES for test in tests}))
def test_every_named_test_exists(test):
    path, _, name = test.partition("::")
    text = (ROOT / path).read_text(encoding="utf-8")

    assert not name or re.search(rf"^(async )?def {name}\(", text, re.MULTILINE)


def test_the_terms_on_the_page_are_the_defaults():
    from desk.tracking.settings import Settings

    days = {name: field.default for name, field in Settings.model_fields.items() if name.startswith("retention_")}

    assert sorted(days.values()) == [30, 90, 90, 730]
