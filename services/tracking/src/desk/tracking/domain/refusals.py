"""Why a report of an office is refused: stable reasons, and an error for each."""

from enum import StrEnum

from desk.tracking.domain.states import State


class RefusalReason(StrEnum):
    """Why a report was not applied. Stable codes, which offices rely on; the contract says what to do about each."""

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
        super().__init__(RefusalReason.FOREIGN_CASE, "this case belongs to another office")


class ForgedSenderError(RefusedError):
    """Source, broker user and routing key do not name the same office."""

    def __init__(self) -> None:
        super().__init__(RefusalReason.FORGED_SENDER, "source, user_id and routing key must name the same office")


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


class UnknownOfficeKeyError(RefusedError):
    """A referral names an office that does not exist."""

    def __init__(self) -> None:
        super().__init__(RefusalReason.UNKNOWN_PROVINCE, "there is no such office to refer to", field="data.province")


class SameProvinceError(RefusedError):
    """A report would hand a case to the office and subject that it has already, or comment on an own case."""

    def __init__(self) -> None:
        super().__init__(RefusalReason.SAME_PROVINCE, "the case is with this office and subject already")


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
