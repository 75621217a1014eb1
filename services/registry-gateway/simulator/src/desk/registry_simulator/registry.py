"""The answers of the simulated registry, in the fields of ``getEstelam3``."""

import base64

from desk.iran.national_id import NationalId
from desk.iran.phone import Mobile
from desk.registry_gateway.adapters.people import Person, mobile_of, people
from desk.registry_simulator.knobs import Garbage, Knobs

Record = dict[str, object]

_NOT_FOUND = "err.record.not.found"
_QUOTA = "inquiry.outof.max.daily.request"
_CLOSED = "login.time.diny"
_REQUIRED = "inquiry.inquiry.required"
_MATCH, _MISMATCH = 200, 600


class SyntheticRegistry:
    """Contains the synthetic persons, counts inquiries and applies the knobs."""

    def __init__(self, knobs: Knobs) -> None:
        self.knobs = knobs
        self.inquiries = 0
        self._errors_left = knobs.errors
        self._people = {person.identity.national_id.value: person for person in people()}

    def set_knobs(self, knobs: Knobs) -> None:
        """Set the knobs, and count inquiries from 0."""
        self.knobs, self.inquiries, self._errors_left = knobs, 0, knobs.errors

    def count_call(self) -> bool:
        """Count a call; return whether it must be answered with an error."""
        self.inquiries += 1
        if self._errors_left > 0:
            self._errors_left -= 1
            return True
        return self._errors_left < 0

    def answer(self, nin: str, birth_date: str) -> Record:
        """Answer an inquiry."""
        if code := self._code(nin):
            return self._refusal(code)
        if not nin or not birth_date:
            return self._refusal(_REQUIRED)
        person = self._people.get(nin.zfill(10))
        if person is None or str(person.identity.birth_date.compact()) != birth_date:
            return self._refusal(_NOT_FOUND)
        return self._record(person)

    def _code(self, nin: str) -> str | None:
        if self.knobs.closed:
            return _CLOSED
        if self.knobs.quota is not None and self.inquiries > self.knobs.quota:
            return _QUOTA
        return self.knobs.code or self.knobs.codes.get(nin)

    def _refusal(self, code: str) -> Record:
        return {"message": [code] if self.knobs.message_in_list else code, "nin": 0}

    def _record(self, person: Person) -> Record:
        known, knobs = person.identity, self.knobs
        if knobs.garbage is Garbage.ANOTHER_PERSON:
            known = people()[0].identity if person is not people()[0] else people()[1].identity
        status = 1 if person.deceased else 0
        return {
            "nin": int(known.national_id.value) if knobs.wrong_zeros else known.national_id.value,
            "name": self._encoded_name(known.first_name),
            "family": self._encoded_name(known.last_name),
            "birthDate": known.birth_date.compact(),
            "deathDate": "14020101" if person.deceased else "",
            "deathStatus": [status] if knobs.death_in_array else status,
            "gender": 1 if known.gender == "male" else knobs.woman,
            "shenasnameNo": 0,
            "message": [] if knobs.message_in_list else "",
        }

    def _encoded_name(self, name: str) -> str:
        return base64.b64encode(name.encode()).decode() if self.knobs.base64_names else name

    def mobile(self, nin: str, mobile: str) -> int:
        """Answer an inquiry of Shahkar with its codes."""
        known = self._people.get(nin)
        matches = known is not None and Mobile(f"+98{mobile}") == mobile_of(NationalId(nin))
        return _MATCH if matches else _MISMATCH
