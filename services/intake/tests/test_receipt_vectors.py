"""The page that verifies receipts is tested with the tokens of this file: `gateway/tests/vectors/receipt-vectors.json`.

Written again by running this file: python services/intake/tests/test_receipt_vectors.py
"""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from joserfc.jwk import OKPKey

from desk.intake.domain import Applicant, Attachment, Contact, Content, IdentityState, Request
from desk.intake.service.receipts import Receipts
from desk.intake.store import load_catalog
from desk.iran.digits import fold

VECTORS = Path(__file__).parents[3] / "gateway/tests/vectors/receipt-vectors.json"
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
"""The public test key of RFC 8032, 7.1, test 1."""
SUBMITTED = datetime(2026, 12, 6, 5, 35, 9, tzinfo=UTC)
TYPED = "  سلام،\r\nقبض ودیعه‌گذاري من گم شده است و ك\u200f نیست. e\u0301 \u200c"
FILES = ("قبض من", "%PDF-1.4 b", "%PDF-1.4 a")
TEXTS = (
    "plain",
    TYPED,
    "\u200c\u00a0  \u3000\tمیانه\u200c \n\n",
    "a\rb\vc\fd\u0085e\u2028f\u2029g\r\nh",
    "\ufeffكتاب عربي على\u061c\u200e\u2066 x\u2069\u0000\u0007\u007f",
    "tab\tstays, \u200b goes, 12۳٤ stay",
)


def signer() -> Receipts:
    shape = {"kty": "OKP", "crv": "Ed25519", "x": base64url(PUBLIC), "d": base64url(SEED)}
    private = OKPKey.import_key(shape).as_pem(private=True).decode()
    return Receipts(private, [])


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def request(text: str) -> Request:
    subject, sub_subject = load_catalog().choose("hajj_deposit", "lost_receipt")
    return Request(
        id=UUID(int=1),
        tracking_code="123456789012",
        submitted_at=SUBMITTED,
        due_at=SUBMITTED + timedelta(days=10),
        province="isfahan",
        subject=subject,
        sub_subject=sub_subject,
        applicant=Applicant("0013542419", "1361-12-05", "زهرا", "رضایی", "female"),
        contact=Contact("+989120000000", None, None),
        content=Content(fold(text)),
        identity=IdentityState.KNOWN,
    )


def vectors() -> dict[str, object]:
    files = [
        Attachment(
            str(place),
            "a.pdf",
            len(text.encode()),
            "application/pdf",
            hashlib.sha256(text.encode()).hexdigest(),
            "object",
        )
        for place, text in enumerate(FILES)
    ]
    receipts = signer()
    return {
        "keys": receipts.keys()["keys"],
        "code": "123456789012",
        "at": SUBMITTED.isoformat().replace("+00:00", "Z"),
        "typed": TYPED,
        "files": FILES,
        "token": receipts.sign(request(TYPED), files),
        "token_without_files": receipts.sign(request(TYPED), []),
        "folded": [{"typed": text, "stored": fold(text)} for text in TEXTS],
    }


def written() -> str:
    return json.dumps(vectors(), indent=1, ensure_ascii=True) + "\n"


def test_the_vectors_of_the_page_match_the_signed_receipts():
    assert VECTORS.read_text(encoding="ascii") == written()


if __name__ == "__main__":
    VECTORS.write_text(written(), encoding="ascii")
