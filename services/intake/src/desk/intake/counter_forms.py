"""The forms of offices that register requests for applicants, at their counters and on the telephone."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationInfo, field_validator

from desk.chassis.app import FieldRuleError
from desk.intake.domain import CounterSource, Language, MobileOwner, Origin, Registration
from desk.intake.forms import RequestForm, Short
from desk.iran.digits import bare
from desk.iran.phone import InvalidMobileError, Mobile

_REFERENCE = re.compile(r"[A-Za-z0-9._-]{1,40}")


def _expert(text: str) -> str:
    """Accept the office's own reference of an expert: an account or a personnel number, no name."""
    if not _REFERENCE.fullmatch(text):
        raise FieldRuleError(
            "expert_reference",
            "شناسهٔ کارشناس باید ۱ تا ۴۰ نویسه باشد: حروف انگلیسی، رقم، نقطه، خط تیره و زیرخط.",
        )
    return text


def _iranian(text: str) -> str:
    try:
        return Mobile.parse(text).e164
    except InvalidMobileError as error:
        raise FieldRuleError(
            f"mobile_{error.reason}", "شمارهٔ تلفن همراه باید ۱۱ رقم باشد و با ۰۹ آغاز شود؛ مانند ۰۹۱۲۰۰۰۰۰۰۰."
        ) from None


def _iranian_or_none(text: str) -> str:
    return _iranian(text) if bare(text) else ""


Expert = Annotated[str, StringConstraints(max_length=64), AfterValidator(_expert)]
IranianMobile = Annotated[str, StringConstraints(max_length=64), AfterValidator(_iranian)]


class CounterIdentityForm(BaseModel):
    """The person to look up; registry-gateway reads and checks both values."""

    model_config = ConfigDict(hide_input_in_errors=True)

    national_id: Short
    birth_date: Short
    """Jalali, ``YYYY-MM-DD``."""
    expert: Expert
    """The office's own reference of its expert, for the audit log."""


class MobileCodeForm(BaseModel):
    """The mobile that gets a code, which the applicant reads out as consent."""

    model_config = ConfigDict(hide_input_in_errors=True)

    mobile: IranianMobile
    language: Language = "fa"


class CounterSubmission(RequestForm):
    """A request that an office registers for a person whose identity it has looked up."""

    mobile: Annotated[Short, AfterValidator(_iranian_or_none)] = ""
    """Empty if the applicant has none."""
    identity_token: Annotated[str, StringConstraints(min_length=1, max_length=4096)]
    """The token of ``POST /api/office/identities``."""
    source: CounterSource
    expert: Expert
    """The office's own reference of the expert who helps, for the audit log."""
    mobile_owner: MobileOwner
    """Whose the mobile is. With ``none`` there is no mobile, and the printed receipt is the only proof."""

    @field_validator("mobile_owner")
    @classmethod
    def _check_owner(cls, owner: MobileOwner, fields: ValidationInfo) -> MobileOwner:
        if "mobile" in fields.data and (owner == "none") != (fields.data["mobile"] == ""):
            raise FieldRuleError(
                "mobile_owner", "اگر شمارهٔ تلفن همراه هست، صاحب آن را مشخص کنید؛ و اگر نیست، «ندارد» را انتخاب کنید."
            )
        return owner

    def origin_at(self, office: str) -> Origin:
        """Return the origin of the request that this office registers."""
        representative = self.representative.person if self.representative else None
        return Origin(self.source, representative, Registration(office, self.expert, self.mobile_owner))
