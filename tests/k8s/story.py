"""The story that every experiment ends with."""

from support.applicant import PDF
from support.embedded_desk import wait_for
from support.published_desk import Province, RetryingApplicant

DEADLINE_SECONDS = 120.0
ANSWER = "روادید شما صادر شده است."


def story(applicant: RetryingApplicant, province: Province) -> None:
    """Send a request with a file, answer it as the office, and read the answer."""
    code = applicant.submit(PDF)
    [received] = wait_for(lambda: province.of(code), DEADLINE_SECONDS)
    assert [each["name"] for each in received["data"]["attachments"]] == ["گذرنامه.pdf"]
    province.report(code, "case-answered", 1, text=ANSWER)
    assert applicant.sees(code, "answered")["answer"]["text"] == ANSWER
