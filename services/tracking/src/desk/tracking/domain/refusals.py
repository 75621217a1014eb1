"""Why a report of an office is refused: stable reasons, and what the office does about each."""

from collections.abc import Mapping
from enum import StrEnum

from desk.tracking.domain.states import State


class RefusalReason(StrEnum):
    """Why a report was not applied. Stable codes, which offices rely on."""

    CONTRACT_BROKEN = "contract_broken"
    ERASED = "erased"
    FOREIGN_CASE = "foreign_case"
    FORGED_SENDER = "forged_sender"
    ILLEGAL_MOVE = "illegal_move"
    NOT_ASKED = "not_asked"
    OVERTAKEN = "overtaken"
    SAME_PROVINCE = "same_province"
    SEQUENCE_USED = "sequence_used"
    UNKNOWN_CASE = "unknown_case"
    UNKNOWN_FILE = "unknown_file"
    UNKNOWN_PROVINCE = "unknown_province"
    UNKNOWN_SUBJECT = "unknown_subject"
    WRONG_SUBJECT = "wrong_subject"


ADVICE: Mapping[RefusalReason, str] = {
    RefusalReason.CONTRACT_BROKEN: (
        "The report does not have the form of the contract. Correct the named field and send a new report."
    ),
    RefusalReason.ERASED: "The data of the request was erased. Send no more reports about it and erase your copy.",
    RefusalReason.FOREIGN_CASE: "The case is with another office. Show it as handed over, and send no more reports.",
    RefusalReason.FORGED_SENDER: (
        "Set the AMQP property user_id to your user province.<key>, the source to /office/<key>, and publish with the "
        "routing key <name of the report>.<key>. Then send the report again under a new id."
    ),
    RefusalReason.ILLEGAL_MOVE: (
        "The present state does not allow the report; see the table of states. The case was decided, withdrawn or "
        "closed before. Show your expert the present state."
    ),
    RefusalReason.NOT_ASKED: "Acknowledge an erasure with the tracking code and certificate_id of request-erased.",
    RefusalReason.OVERTAKEN: (
        "A later report of your office was applied first. If the decision still holds, send it again under a new id "
        "with the number expected_seq."
    ),
    RefusalReason.SAME_PROVINCE: "Refer the case to another office or to another subject.",
    RefusalReason.SEQUENCE_USED: (
        "The number seq belongs to another report of your office on this case. Send the report again under a new id "
        "with the number expected_seq."
    ),
    RefusalReason.UNKNOWN_CASE: "The desk has no request with this tracking code. Check the code.",
    RefusalReason.UNKNOWN_FILE: (
        "Upload each file for this case with your own assertion and name the returned id. A file in which malware was "
        "found is removed. Then send the answer again under a new id."
    ),
    RefusalReason.UNKNOWN_PROVINCE: "Name the office by its key in the catalogue. Send the referral under a new id.",
    RefusalReason.UNKNOWN_SUBJECT: (
        "Name subject and sub-subject by their keys in GET /api/catalog, and send the referral under a new id."
    ),
    RefusalReason.WRONG_SUBJECT: "Set the envelope's subject to the tracking code in data, and send it under a new id.",
}
"""What the office does about each reason."""


class RefusedError(Exception):
    """A report cannot be applied, and the office receives the reason.

    ``field`` and ``rule`` name a fault of the form, ``expected_seq`` the number that the office's next report needs.
    """

    def __init__(
        self,
        reason: RefusalReason,
        explanation: str,
        *,
        field: str | None = None,
        rule: str | None = None,
        expected_seq: int | None = None,
    ) -> None:
        super().__init__(explanation)
        self.reason = reason
        self.field, self.rule, self.expected_seq = field, rule, expected_seq


class ContractBrokenError(RefusedError):
    """The report does not have the form of the contract."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(RefusalReason.CONTRACT_BROKEN, f"{field}: {rule}", field=field, rule=rule)


class SequenceUsedError(RefusedError):
    """Another report of the same office on the case has the same number."""

    def __init__(self, seq: int, expected: int) -> None:
        super().__init__(
            RefusalReason.SEQUENCE_USED,
            f"another report on this case has the number {seq}; the next is {expected}",
            field="seq",
            expected_seq=expected,
        )


class OvertakenError(RefusedError):
    """A decision arrives after a later report of the same office was applied."""

    def __init__(self, expected: int) -> None:
        super().__init__(
            RefusalReason.OVERTAKEN, "a later report of this office was applied before", expected_seq=expected
        )


class IllegalTransitionError(RefusedError):
    """The transition is not allowed to this party in the present state."""

    def __init__(self, present: State, wanted: State) -> None:
        super().__init__(RefusalReason.ILLEGAL_MOVE, f"{present} cannot become {wanted}")


class ForeignCaseError(RefusedError):
    """The case belongs to another office."""

    def __init__(self) -> None:
        super().__init__(RefusalReason.FOREIGN_CASE, "this case belongs to another province")


class ForgedSenderError(RefusedError):
    """Source, broker user and routing key do not name the same office."""

    def __init__(self) -> None:
        super().__init__(RefusalReason.FORGED_SENDER, "source, user_id and routing key must name the same province")


class UnknownCaseError(RefusedError):
    """No request has this tracking code."""

    def __init__(self) -> None:
        super().__init__(RefusalReason.UNKNOWN_CASE, "the desk knows no such case; was its tracking code mistyped?")


class CaseErasedError(RefusedError):
    """The data of the case was erased."""

    def __init__(self) -> None:
        super().__init__(RefusalReason.ERASED, "the data of this case was erased")


class NotAskedToEraseError(RefusedError):
    """An office reports an erasure that the desk has not asked for."""

    def __init__(self) -> None:
        super().__init__(RefusalReason.NOT_ASKED, "the desk has not asked this office to erase the case")


class UnknownAnswerFileError(RefusedError):
    """An answer names a file that the office has not uploaded for this case."""

    def __init__(self) -> None:
        super().__init__(
            RefusalReason.UNKNOWN_FILE, "a file was not uploaded by this office for this case", field="data.files"
        )


class UnknownSubjectError(RefusedError):
    """A referral names a subject and sub-subject that are not in the catalogue."""

    def __init__(self) -> None:
        super().__init__(
            RefusalReason.UNKNOWN_SUBJECT, "the catalogue has no such sub-subject", field="data.sub_subject"
        )


class UnknownProvinceKeyError(RefusedError):
    """A referral names an office that does not exist."""

    def __init__(self) -> None:
        super().__init__(RefusalReason.UNKNOWN_PROVINCE, "there is no such province to refer to", field="data.province")


class SameProvinceError(RefusedError):
    """A referral leads to the office and subject that the case has already."""

    def __init__(self) -> None:
        super().__init__(RefusalReason.SAME_PROVINCE, "a case cannot be referred to the province and subject it is in")


class WrongSubjectError(RefusedError):
    """The envelope's subject is not the tracking code in the data."""

    def __init__(self) -> None:
        super().__init__(
            RefusalReason.WRONG_SUBJECT, "the envelope's subject is not the tracking code", field="subject"
        )


class CaseNotReadyError(Exception):
    """The event that opens the case, or that releases it to its office, has not arrived yet.

    It may arrive in a moment, so the report is retried.
    """
