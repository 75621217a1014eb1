"""What can be wrong with a report that a provider sends us."""

from desk.chassis.problem import DomainError


class ReportNotWantedError(DomainError):
    """A report with a wrong secret, of a provider we have not, or about a message that is not ours."""

    status = 404
    code = "report_not_wanted"
    title = "این گزارش پذیرفته نشد."


class NotAReportError(DomainError):
    """What a provider sent is no report we can read."""

    code = "not_a_report"
    title = "این گزارش خوانده نشد. شناسه و وضعیت پیام را بفرستید."
