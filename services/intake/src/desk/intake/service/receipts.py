"""The signed receipt: what the desk registered and when, verifiable without the desk (docs/adr/0054)."""

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import zxingcpp
from joserfc import jws
from joserfc.jwk import OKPKey

from desk.intake.domain import Attachment, Request

ALGORITHM = "Ed25519"
TYPE = "haj-receipt-1"
"""Kind and version of the token; a reader rejects other ones."""
_KEY_ID_LENGTH = 8
"""Characters of a key's RFC 7638 thumbprint; it only distinguishes the desk's few keys."""
_DARK = re.compile(rb"\x00+")


@dataclass(frozen=True, slots=True)
class SignedReceipt:
    """A receipt for the applicant; ``qr`` is an SVG of the address at which the token is verified."""

    token: str
    qr: str


class Receipts:
    """Signs receipts, and publishes the keys that verify them."""

    def __init__(self, private_key: str, public_keys: Sequence[str], public_url: str) -> None:
        """Keys are PEMs of Ed25519; ``public_keys`` are published in addition to that of ``private_key``."""
        self._key = OKPKey.import_key(private_key)
        self._key_id = _key_id(self._key)
        self._address = f"{public_url.rstrip('/')}/verify#"
        published = [self._key, *(OKPKey.import_key(each) for each in public_keys)]
        self._published = list({_key_id(key): _published(key) for key in published}.values())

    def sign(self, request: Request, attachments: Sequence[Attachment]) -> SignedReceipt:
        """Sign a registered request. The same request and key result in the same token."""
        header = {"alg": ALGORITHM, "kid": self._key_id, "typ": TYPE}
        claims = {
            "c": request.tracking_code,
            "t": int(request.submitted_at.timestamp()),
            "x": _base64url(hashlib.sha256(request.text.encode()).digest()),
            "f": [_base64url(digest) for digest in sorted(bytes.fromhex(each.sha256) for each in attachments)],
        }
        payload = json.dumps(claims, separators=(",", ":")).encode()
        token = jws.serialize_compact(header, payload, self._key, algorithms=[ALGORITHM])
        return SignedReceipt(token, draw_qr(self._address + token))

    def keys(self) -> dict[str, list[dict[str, str]]]:
        """Return the public keys as a JWK set (RFC 7517)."""
        return {"keys": self._published}


def _key_id(key: OKPKey) -> str:
    return key.thumbprint()[:_KEY_ID_LENGTH]


def _published(key: OKPKey) -> dict[str, str]:
    jwk = key.as_dict(private=False)
    return {"kty": "OKP", "crv": ALGORITHM, "x": str(jwk["x"]), "kid": _key_id(key), "alg": ALGORITHM, "use": "sig"}


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def draw_qr(text: str) -> str:
    """Draw ``text`` as a QR code (ISO/IEC 18004), an SVG without a fixed size.

    Each module is one unit, the quiet zone four. Error correction M restores 15 %: enough for a fold in the paper.
    Every submission needs one, so it is drawn by a library that is not written in Python.
    """
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    image = code.to_image()  # one byte for each module, including the quiet zone
    size, modules = image.shape[0], memoryview(image).tobytes()  # type: ignore[arg-type] # its types lack the buffer protocol
    lines, x, y = [], 0, 0
    for row in range(size):
        for dark in _DARK.finditer(modules[row * size : (row + 1) * size]):
            start, end = dark.span()
            lines.append(f"m{start - x} {row - y}h{end - start}")
            x, y = end, row
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}">'
        f'<path fill="#fff" d="M0 0h{size}v{size}H0z"/>'
        f'<path stroke="#000" d="M0 .5{"".join(lines)}"/></svg>'
    )
