"""A consumer of a province on plain aio-pika, which makes the mistake that its first argument names."""

import asyncio
import json
import os
import sys
import time
import urllib.request
import uuid
from datetime import UTC, datetime
from urllib.error import HTTPError

import aio_pika
from joserfc import jwe, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, OKPKey

MISTAKE = sys.argv[1]
PROVINCE = os.environ["PROVINCE"]
# The kit starts it often, so it does without a library for HTTP that takes long to import.
GET = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
NEW = ("request-submitted.v1", "request-referred.v1")
KNOWN = {"specversion", "id", "source", "type", "subject", "time", "seq", "datacontenttype", "data"}


KIND = ECKey if MISTAKE == "has a key of P-256" else OKPKey
NAMES = ["EVENT_PRIVATE_KEY", "FORMER_EVENT_PRIVATE_KEY"]
OWN = [KIND.import_key(os.environ[name]) for name in NAMES[: 1 if MISTAKE == "has no former key" else 2]]
if MISTAKE == "decrypts with the wrong key":
    OWN = [OKPKey.generate_key("X25519")]
KEYS = {key.thumbprint(): key for key in OWN}
ALGORITHMS = ["ECDH-ES+A256KW", "A256GCM"]
REGISTRY = type("Registry", (jwe.JWERegistry,), {"max_ciphertext_length": 2**20})(
    algorithms=ALGORITHMS, strict_check_header=False
)


def decrypt(event):
    recipients = event["data"]["recipients"]
    if MISTAKE == "reads the first recipient":
        recipients = recipients[:1]
    own = [each for each in recipients if each["header"]["kid"] in KEYS]
    if not own:
        sys.stderr.write(f"error: cannot decrypt {event['id']}, no recipient is ours\n")
        raise ValueError(event["id"])
    key = KEYS[own[0]["header"]["kid"]]
    found = jwe.decrypt_json(event["data"] | {"recipients": own[:1]}, key, registry=REGISTRY)
    if found.protected["event_id"] != event["id"] and MISTAKE != "handles moved data":
        raise ValueError(event["id"])
    return json.loads(found.plaintext)


def encrypt(data, event_id):
    if MISTAKE == "answers in clear":
        return data
    with GET(f"{os.environ['DESK_URL']}/api/event-keys") as answer:
        [key] = json.load(answer)["keys"]
    sealed = jwe.GeneralJSONEncryption({"enc": "A256GCM", "event_id": event_id}, json.dumps(data).encode())
    sealed.add_recipient({"alg": "ECDH-ES+A256KW", "kid": key["kid"]}, OKPKey.import_key(key))
    return jwe.encrypt_json(sealed, None, registry=REGISTRY)


def download(event):
    part = MISTAKE.removeprefix("has an assertion with a wrong ")
    now = int(time.time())
    claims = {"iss": PROVINCE, "aud": "desk.files", "exp": now + 60, "iat": now, "jti": str(uuid.uuid4())}
    wrong = {"iss": "qom", "aud": "desk", "exp": now + 3600, "iat": now + 3600, "jti": "always the same"}
    if part in wrong:
        claims[part] = wrong[part]
    key = OKPKey.import_key(os.environ["PRIVATE_KEY"])
    if part == "signature":
        key = OKPKey.generate_key("Ed25519")
    if part == "alg":
        key = OctKey.import_key(os.environ["PRIVATE_KEY"][:64])
    name = "HS256" if part == "alg" else "EdDSA"
    token = jwt.encode({"alg": name}, claims, key, algorithms=[name])
    if part == "token":
        token = "no JWT"
    for file in event["data"]["attachments"] * (2 if part == "jti" else 1):
        call = {} if part == "header" else {"Authorization": f"Bearer {token}"}
        url = f"{os.environ['DESK_URL']}/api/office/files/{file['id']}"
        try:
            GET(urllib.request.Request(url, headers=call)).close()  # noqa: S310 - the kit's address
        except HTTPError:
            raise ValueError(event["id"]) from None


def read(body):
    event = json.loads(body)
    try:
        event["data"] = decrypt(event)
    except JoseError:
        raise ValueError(event["id"]) from None
    if event["type"].endswith(NEW):
        event["data"]["applicant"]["national_id"]
    return event


async def main():  # noqa: C901, PLR0915 - a branch for each mistake
    connection = await aio_pika.connect(os.environ["BROKER_URL"], timeout=10)
    confirms = MISTAKE != "publishes without confirms"
    raises = confirms and MISTAKE != "ignores returned reports"
    channel = await connection.channel(publisher_confirms=confirms, on_return_raises=raises)
    if MISTAKE != "has no prefetch limit":
        await channel.set_qos(1)
    cases = await channel.get_exchange("desk.cases", ensure=False)
    queue = await channel.get_queue(f"province.{PROVINCE}", ensure=False)
    numbers, handled, gone = {}, set(), asyncio.Event()
    connection.close_callbacks.add(lambda *_: gone.set())

    async def report(name, event, **data):
        code, now = event["subject"], datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        numbers[code] = numbers.get(code, 0) + 1
        made_of = f"{event['id']}/{name}" if MISTAKE != "answers twice" else str(uuid.uuid4())
        envelope = {
            "specversion": "1.0",
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, made_of)),
            "source": f"/office/{PROVINCE}",
            "type": f"ir.haj.desk.{name}.v1",
            "subject": code,
            "time": now,
            "seq": numbers[code],
            "datacontenttype": "application/jose+json",
            "data": {"tracking_code": code, "at": now, **data},
        }
        if MISTAKE == "answers in another shape":
            envelope["data"].pop("tracking_code")
        envelope["data"] = encrypt(envelope["data"], envelope["id"])
        message = aio_pika.Message(
            json.dumps(envelope).encode(),
            content_type="application/cloudevents+json",
            delivery_mode=2,
            message_id=envelope["id"],
            user_id=connection.url.user,
        )
        while True:
            try:
                await cases.publish(message, f"{name}.{PROVINCE}", mandatory=MISTAKE != "publishes without mandatory")
            except aio_pika.exceptions.DeliveryError:
                await asyncio.sleep(0.2)
            else:
                return

    async def take(message):  # noqa: C901 - a branch for each mistake
        try:
            event = read(message.body)
            if "assertion" in MISTAKE and event["type"].endswith(NEW):
                download(event)
        except (ValueError, KeyError):
            await message.reject(requeue=MISTAKE == "gives back what it cannot read")
            return
        if MISTAKE == "dies of an unknown field" and not event.keys() <= KNOWN:
            os._exit(3)
        if MISTAKE == "acks before handling":
            await message.ack()
            await asyncio.sleep(0.3)
        known = event["id"] in handled and MISTAKE != "answers twice"
        if event["type"].endswith("request-replied.v1") and MISTAKE == "works on stale events":
            await report("case-assigned", event)
        if event["type"].endswith(NEW) and not known:
            await report("case-received", event)
            if MISTAKE == "answers twice":
                await report("case-answered", event, text="انجام شد.")
        if event["type"].endswith("request-erased.v1") and MISTAKE != "keeps erased data":
            await report("case-erased", event, certificate_id=event["data"]["certificate_id"])
        if MISTAKE == "answers objections" and event["type"].endswith("request-objected.v1"):
            await report("case-answered", event, text="پاسخ همان است.")
        handled.add(event["id"])
        if MISTAKE not in {"acks before handling", "never acks"}:
            await message.ack()

    await queue.consume(take, no_ack=MISTAKE == "takes without acks")
    await gone.wait()


if MISTAKE != "reads nothing":
    asyncio.run(main())
