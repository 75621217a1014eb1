"""What is published of the figures: no count that could point at a person, also not by a subtraction."""

from hypothesis import given
from hypothesis import strategies as st

from desk.tracking.domain import Figure, State, published
from desk.tracking.domain.suppression import suppress


def test_a_count_under_five_is_not_published_and_cannot_be_computed():
    shown, total = suppress({("a", "closed"): 3, ("a", "withdrawn"): 40, ("b", "closed"): 9})
    assert shown == {("a", "closed"): "<5", ("a", "withdrawn"): "40", ("b", "closed"): "suppressed"}
    assert total == "52"


def test_large_counts_are_published():
    assert suppress({("a", "closed"): 5, ("a", "withdrawn"): 40}) == (
        {("a", "closed"): "5", ("a", "withdrawn"): "40"},
        "45",
    )


def test_a_small_total_is_not_published():
    assert suppress({("a", "closed"): 1, ("a", "withdrawn"): 2}) == (
        {("a", "closed"): "<5", ("a", "withdrawn"): "<5"},
        "<5",
    )


def test_two_small_counts_whose_sum_reveals_them_hide_a_third():
    shown, total = suppress({("a", "closed"): 4, ("a", "withdrawn"): 4, ("b", "closed"): 30})
    assert (set(shown.values()), total) == ({"<5", "suppressed"}, "38")


def test_a_total_that_reveals_its_only_counts_is_suppressed():
    assert suppress({("a", "closed"): 4, ("a", "withdrawn"): 4})[1] == "suppressed"


@given(st.lists(st.integers(1, 12), min_size=1, max_size=5))
def test_no_hidden_count_follows_from_the_published_ones(counts):
    shown, total = suppress({(str(place), "closed"): count for place, count in enumerate(counts)})
    hidden = [(count, shown[str(place), "closed"]) for place, count in enumerate(counts)]
    hidden = [(count, text) for count, text in hidden if not text.isdigit()]
    if not total.isdigit() or not hidden:
        return
    rest = sum(count for count, _ in hidden)
    choices = [range(1, 5) if text == "<5" else range(5, rest + 1) for _, text in hidden]
    possible = [set[int]() for _ in hidden]
    _collect(choices, rest, [], possible)
    for (_, text), values in zip(hidden, possible, strict=True):
        assert len(values) > 1 or text == "suppressed"


def _collect(choices, rest, chosen, possible):
    if len(chosen) == len(choices):
        if rest == 0:
            for place, value in enumerate(chosen):
                possible[place].add(value)
        return
    for value in choices[len(chosen)]:
        if value <= rest:
            _collect(choices, rest - value, [*chosen, value], possible)


def test_the_published_table_has_a_total_for_each_month_province_and_subject():
    figures = [
        Figure("1405-09", "isfahan", "umrah", "visa", State.CLOSED, 10, 8, 20),
        Figure("1405-09", "isfahan", "umrah", "visa", State.WITHDRAWN, 2, 0, 0),
        Figure("1405-09", "isfahan", "umrah", "other", State.CLOSED, 6, 3, 9),
        Figure("1405-08", "fars", "umrah", "visa", State.CLOSED, 5, 5, 10),
    ]
    assert published(figures) == [
        ("1405-08", "fars", "umrah", "visa", "closed", "5", "2.0"),
        ("1405-08", "fars", "umrah", "all", "all", "5", ""),
        ("1405-09", "isfahan", "umrah", "other", "closed", "suppressed", ""),
        ("1405-09", "isfahan", "umrah", "visa", "closed", "10", "2.5"),
        ("1405-09", "isfahan", "umrah", "visa", "withdrawn", "<5", ""),
        ("1405-09", "isfahan", "umrah", "all", "all", "18", ""),
    ]


def test_no_part_of_what_is_not_shown_is_shown():
    requests, total = suppress({("a", "x"): 3, ("b", "x"): 9, ("c", "x"): 40})
    answered, answered_total = suppress({("a", "x"): 2, ("b", "x"): 8, ("c", "x"): 35}, requests, total)
    assert (requests, total) == ({("a", "x"): "<5", ("b", "x"): "suppressed", ("c", "x"): "40"}, "52")
    assert (answered, answered_total) == ({("a", "x"): "<5", ("b", "x"): "suppressed", ("c", "x"): "35"}, "45")


def test_none_is_shown_as_such():
    assert suppress({("a", "x"): 0, ("b", "x"): 7}) == ({("a", "x"): "0", ("b", "x"): "7"}, "7")


def test_the_largest_possible_part_does_not_reveal_a_small_one():
    """If b could be at most 6, as many as there are requests, the sum of 10 would mean that a is 4."""
    requests = {("a", "x"): "9", ("b", "x"): "6", ("c", "x"): "30"}
    shown, total = suppress({("a", "x"): 4, ("b", "x"): 6, ("c", "x"): 20}, requests, "45")
    assert (shown, total) == (
        {("a", "x"): "<5", ("b", "x"): "suppressed", ("c", "x"): "suppressed"},
        "30",
    )


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)).map(lambda it: (it[0], min(it))), max_size=4))
def test_no_small_part_follows_from_what_is_shown(pairs):
    cells = [(str(place), "x") for place in range(len(pairs))]
    requests, total = suppress({cell: pair[0] for cell, pair in zip(cells, pairs, strict=True)})
    parts = {cell: pair[1] for cell, pair in zip(cells, pairs, strict=True)}
    shown, shown_total = suppress(parts, requests, total)
    if not shown_total.isdigit():
        return
    hidden = [cell for cell in cells if not shown[cell].isdigit()]
    rest = int(shown_total) - sum(int(shown[cell]) for cell in cells if shown[cell].isdigit())
    most = {cell: int(requests[cell]) if requests[cell].isdigit() else rest for cell in hidden}
    choices = [range(1, 5) if shown[cell] == "<5" else range(5, most[cell] + 1) for cell in hidden]
    possible = [set[int]() for _ in hidden]
    _collect(choices, rest, [], possible)
    assert all(len(values) > 1 for cell, values in zip(hidden, possible, strict=True) if shown[cell] == "<5")
