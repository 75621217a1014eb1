"""What the announcements of a whole request say, new or released."""

from collections.abc import Sequence

from desk.intake.domain import Request
from desk.intake.events import ApplicantData, AttachmentData, ContactData, Named, Titled
from desk.intake.store import Attachment
from desk.iran.provinces import province


def whole(request: Request, attachments: Sequence[Attachment]) -> dict[str, object]:
    """Give what an event that carries the whole request says of it."""
    return {
        "tracking_code": request.tracking_code,
        "submitted_at": request.submitted_at,
        "due_at": request.due_at,
        "province": Named(key=request.province, name=province(request.province).name),
        "subject": Titled(key=request.subject.key, title=request.subject.title),
        "sub_subject": Titled(key=request.sub_subject.key, title=request.sub_subject.title),
        "applicant": ApplicantData.model_validate(request.applicant),
        "contact": ContactData.model_validate(request.contact),
        "text": request.text,
        "attachments": [AttachmentData.model_validate(each) for each in attachments],
    }
