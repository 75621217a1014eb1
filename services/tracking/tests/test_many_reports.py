"""Many reports in random order, each delivered twice: every case ends as its province told it.

A few hundred in the usual run; ``FULL=1`` does the 10,000 of the aim.
"""

import os
import random

from sqlalchemy import func, select

from desk.tracking.store import case_table, refusal_table, step_table

REPORTS = 10_000 if os.environ.get("FULL") else 300
STORY = ["case-received", "case-assigned", "case-info-requested", "case-assigned"]
ENDS = {"case-answered": "answered", "case-rejected": "rejected"}


async def test_reports_in_random_order_and_doubled_end_in_the_right_states(tracking, report):
    seed = random.randrange(2**32)  # noqa: S311 - an order, not a secret
    chosen = random.Random(seed)  # noqa: S311
    wanted, messages = {}, []
    for _ in range(REPORTS // (len(STORY) + 1)):
        code, end = await tracking.submit(), chosen.choice(sorted(ENDS))
        wanted[code] = ENDS[end]
        messages += [report(name, code, seq=seq) for seq, name in enumerate([*STORY, end], start=1)]
    deliveries = messages * 2
    chosen.shuffle(deliveries)
    for message in deliveries:
        await tracking.bus.handle(message)
    states = await tracking.rows(select(case_table.c.tracking_code, case_table.c.state))
    assert {row.tracking_code: row.state for row in states} == wanted, f"seed {seed}"
    [[steps]] = await tracking.rows(select(func.count()).select_from(step_table))
    [[refused]] = await tracking.rows(select(func.count()).select_from(refusal_table))
    assert (steps, refused) == (len(messages) + len(wanted), 0), f"seed {seed}"
    assert await tracking.received_count() == len(messages) + len(wanted), f"seed {seed}"
