"""No number is handed out twice, and each actor's numbers rise."""

from __future__ import annotations

from scenarios.checks.sequences import check_sequences
from tests.scenarios.checks.story import Story

IDS = "sequence/ids"


def found(story):
    return [each.operations for each in check_sequences(story.history)]


def test_blocks_of_several_actors_are_good():
    story = Story().do(1, IDS, "next", 11).do(2, IDS, "next", 1, by="w2").do(3, IDS, "next", 12)
    assert found(story.call(4, IDS, "next").lose(4).do(5, IDS, "next", 21)) == []


def test_a_number_handed_out_twice_is_named():
    story = Story().do(1, IDS, "next", 1).do(2, IDS, "next", 1, by="w2")
    assert found(story) == [(2, 1)]


def test_a_number_lower_than_an_actors_one_before_is_named():
    story = Story().do(1, IDS, "next", 2).do(2, IDS, "next", 3).do(3, IDS, "next", 1)
    assert found(story) == [(3, 2)]


def test_threads_of_an_actor_at_the_same_time_get_numbers_in_either_order():
    assert found(Story().call(1, IDS, "next").do(2, IDS, "next", 6).end(1, 5)) == []


def test_each_sequence_is_on_its_own():
    assert found(Story().do(1, IDS, "next", 5).do(2, "sequence/other", "next", 5)) == []
