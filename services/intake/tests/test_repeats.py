import asyncio

KEY = "6b1f0f2e-59a1-4d0c-a9d5-0f6a2f5b7c11"


async def test_a_repeat_returns_the_same_receipt(desk):
    form = desk.form(attachments=[await desk.attachment()])
    first = await desk.submit(form, key=KEY)

    again = await desk.submit(form, key=KEY)

    assert again.status_code == 201
    assert again.json() == first.json()


async def test_a_repeat_stores_and_publishes_nothing_more(desk):
    form = desk.form()
    for _ in range(3):
        await desk.submit(form, key=KEY)

    assert await desk.stored() == {"request": 1, "outbox": 1}


async def test_a_repeat_needs_no_valid_security_code(desk):
    form = desk.form()
    first = await desk.submit(form, key=KEY)
    desk.captcha.answers.clear()

    again = await desk.submit(form, key=KEY)

    assert again.json()["tracking_code"] == first.json()["tracking_code"]


async def test_a_repeat_may_carry_a_newer_security_code_and_token(desk):
    form = desk.form()
    first = await desk.submit(form, key=KEY, token=desk.token())

    again = await desk.submit(form | {"captcha": desk.captcha.issue()}, key=KEY, token=desk.token())

    assert again.json() == first.json()


async def test_a_repeat_that_is_typed_in_other_digits_is_the_same_request(desk):
    form = desk.form()
    first = await desk.submit(form, key=KEY)

    again = await desk.submit(
        form | {"mobile": "۰۹۱۲۳۴۵۶۷۸۹", "landline": {"area_code": "۰۳۱", "number": "۳۲۲۱۱۲۳۴"}}, key=KEY
    )

    assert again.json() == first.json()


async def test_the_same_key_with_another_text_is_refused(desk, problem_of):
    form = desk.form()
    await desk.submit(form, key=KEY)

    problem = problem_of(await desk.submit(form | {"text": "یک درخواست دیگر دارم."}, key=KEY), 422)

    assert problem["code"] == "idempotency_key_reused"
    assert await desk.count("request") == 1


async def test_the_same_key_with_other_files_is_refused(desk, problem_of):
    form = desk.form()
    await desk.submit(form, key=KEY)
    file_id = await desk.attachment()

    problem = problem_of(await desk.submit(form | {"attachments": [file_id]}, key=KEY), 422)

    assert problem["code"] == "idempotency_key_reused"


async def test_the_same_key_of_another_person_is_another_request(desk, ali):
    first = await desk.submit(key=KEY)

    second = await desk.submit(key=KEY, token=desk.token(ali))

    assert second.status_code == 201
    assert second.json()["tracking_code"] != first.json()["tracking_code"]


async def test_a_refused_request_may_be_corrected_with_the_same_key(desk):
    await desk.submit(key=KEY, text="کوتاه")

    assert (await desk.submit(key=KEY)).status_code == 201


async def test_a_security_code_used_before_a_failure_is_valid_for_the_retry(desk, monkeypatch):
    form = desk.form()
    monkeypatch.setattr("desk.intake.service.requests.RequestSubmission._write", _break)
    assert (await desk.submit(form, key=KEY)).status_code == 500
    assert desk.captcha.claims
    monkeypatch.undo()

    assert (await desk.submit(form, key=KEY)).status_code == 201


async def _break(*_values):
    raise RuntimeError("a bug")


async def test_a_hundred_simultaneous_submissions_with_one_key_are_one_request(desk):
    form = desk.form(attachments=[await desk.attachment()])
    token = desk.token()

    answers = await asyncio.gather(*(desk.submit(form, key=KEY, token=token) for _ in range(100)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert await desk.stored() == {"request": 1, "outbox": 1}


async def test_cancelled_submissions_release_their_connections(desk):
    token = desk.token()
    posts = [asyncio.create_task(desk.submit(token=token)) for _ in range(40)]
    for number, post in enumerate(posts):
        asyncio.get_running_loop().call_later(number / 100, post.cancel)
    await asyncio.wait(posts)

    async with asyncio.timeout(60):
        while desk.parts.database.engine.pool.checkedout():  # noqa: ASYNC110 - a pool has no event to wait for
            await asyncio.sleep(0.01)
    assert (await desk.submit()).status_code == 201
    assert await desk.count("request") == await desk.count("outbox")


async def test_a_file_is_claimed_by_one_of_two_simultaneous_requests(desk):
    file_id = await desk.attachment()

    answers = await asyncio.gather(*(desk.submit(attachments=[file_id]) for _ in range(2)))

    assert sorted(answer.status_code for answer in answers) == [201, 422]
    assert await desk.stored() == {"request": 1, "outbox": 1}


async def test_a_file_is_either_attached_or_removed(desk):
    file_id = await desk.attachment()

    submitted, taken_back = await asyncio.gather(desk.submit(attachments=[file_id]), desk.remove(file_id))

    assert (submitted.status_code, taken_back.status_code) in {(201, 404), (422, 204)}
    assert (file_id in await desk.objects()) == (submitted.status_code == 201)
