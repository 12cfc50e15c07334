"""When a running conversation gives hints: by example, and as rules that hold for any conversation."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.clock import FixedClock
from operations.live_conversation import (
    MOST_GAPS,
    MOST_WORDS_CHARS,
    Conversation,
    ConversationState,
    LiveHint,
    LivePolicy,
    Utterance,
    count_words,
    has_heard,
    join,
    with_heard,
)
from operations.live_records import read_state, state_record

START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
POLICY = LivePolicy(cooldown_s=8, repeat_s=180, join_within_s=3, fragment_words=6)
TYPES = {"贵": "price", "便宜": "price", "质量": "quality", "牌子": "brand"}


@dataclass
class WordCoach:
    """Knows an objection by one word of it, the last one said; notes what it was asked."""

    listened: list[str] = field(default_factory=list)
    hinted: list[str] = field(default_factory=list)
    silent: bool = False

    def objection(self, words: str) -> str | None:
        self.listened.append(words)
        found = max((words.rfind(word), kind) for word, kind in TYPES.items())
        return found[1] if found[0] >= 0 else None

    def hint(self, words: str) -> str | None:
        self.hinted.append(words)
        return None if self.silent else f"hint-{len(self.hinted)}"


class Talk:
    """A conversation in which people speak at given seconds."""

    def __init__(self, policy: LivePolicy = POLICY, coach: WordCoach | None = None) -> None:
        self.clock = FixedClock(START)
        self.coach = coach or WordCoach()
        self.conversation = Conversation(policy, self.clock)
        self.seq = 0

    def at(self, second: float) -> None:
        self.clock.advance(START + timedelta(seconds=second) - self.clock.now())

    def say(self, second: float, text: str, speaker: str = "customer", seq: int | None = None) -> LiveHint | None:
        self.at(second)
        self.seq = self.seq + 1 if seq is None else seq
        said = Utterance(self.seq, speaker, text, START + timedelta(seconds=second))  # type: ignore[arg-type]
        return self.conversation.hear(said, self.coach)

    def release(self, second: float) -> LiveHint | None:
        self.at(second)
        return self.conversation.release(self.coach)


def test_the_customers_objection_gets_a_hint_and_small_talk_none() -> None:
    talk = Talk()
    assert talk.say(0, "你好") is None
    hint = talk.say(5, "你们家这个板子有点贵啊")
    assert hint is not None
    assert (hint.number, hint.seq, hint.objection_type, hint.at) == (1, 2, "price", START + timedelta(seconds=5))


def test_the_reps_words_never_cause_a_hint_and_are_not_even_listened_to() -> None:
    talk = Talk()
    assert talk.say(0, "您是觉得贵吗，质量不放心？", speaker="rep") is None
    assert talk.coach.listened == []


def test_the_same_objection_gets_no_second_hint_until_the_customer_comes_back_to_it_later() -> None:
    talk = Talk()
    assert talk.say(0, "这个也太贵了一点吧我觉得")
    assert talk.say(60, "还是觉得你们这个贵了好多啊") is None
    assert talk.say(179, "还是觉得你们这个贵了好多啊") is None
    again = talk.say(180, "还是觉得你们这个贵了好多啊")
    assert again is not None
    assert again.number == 2


def test_an_objection_during_the_cool_down_is_held_back_and_given_when_it_ends() -> None:
    talk = Talk()
    talk.say(0, "这个也太贵了一点吧我觉得")
    assert talk.say(2, "而且你们的质量我不太放心啊") is None
    assert talk.conversation.held_until == START + timedelta(seconds=8)
    assert talk.release(7.9) is None
    hint = talk.release(8)
    assert hint is not None
    assert (hint.seq, hint.objection_type) == (2, "quality")
    assert talk.conversation.held_until is None
    assert talk.release(30) is None


def test_only_the_newest_of_several_held_back_objections_is_given() -> None:
    talk = Talk()
    talk.say(0, "这个也太贵了一点吧我觉得")
    talk.say(2, "而且你们的质量我不太放心啊")
    talk.say(6, "你们这个牌子我也没有听说过")
    hint = talk.release(8)
    assert hint is not None
    assert (hint.seq, hint.objection_type) == (3, "brand")


def test_an_answered_objection_repeated_in_the_cool_down_does_not_push_out_the_one_held_back() -> None:
    talk = Talk()
    talk.say(0, "这个也太贵了一点吧我觉得")
    talk.say(2, "而且你们的质量我不太放心啊")
    talk.say(6, "还是觉得你们这个贵了好多啊")
    hint = talk.release(8)
    assert hint is not None
    assert hint.objection_type == "quality"


def test_a_new_objection_after_the_cool_down_takes_the_place_of_one_that_nobody_released() -> None:
    talk = Talk()
    talk.say(0, "这个也太贵了一点吧我觉得")
    talk.say(2, "而且你们的质量我不太放心啊")
    hint = talk.say(20, "你们这个牌子我也没有听说过")
    assert hint is not None
    assert hint.objection_type == "brand"
    assert talk.release(40) is None


def test_any_later_words_release_what_was_held_back() -> None:
    talk = Talk()
    talk.say(0, "这个也太贵了一点吧我觉得")
    talk.say(2, "而且你们的质量我不太放心啊")
    hint = talk.say(12, "我给您看一下检测报告", speaker="rep")
    assert hint is not None
    assert (hint.seq, hint.objection_type) == (2, "quality")


def test_a_fragment_is_heard_together_with_the_words_just_before_it() -> None:
    talk = Talk()
    talk.say(0, "你们家这个价钱我看了一下比别人")
    hint = talk.say(2, "贵了点")
    assert hint is not None
    assert talk.coach.hinted == ["你们家这个价钱我看了一下比别人贵了点"]


@pytest.mark.parametrize(
    ("second", "text"),
    [(3, "贵了点"), (2, "贵了点我就直接跟你说了吧"), (-1, "贵了点")],
    ids=["too late", "not a fragment", "said before"],
)
def test_other_words_stand_by_themselves(second: float, text: str) -> None:
    talk = Talk()
    talk.say(5, "你们家这个价钱我看了一下比别人")
    talk.say(5 + second, text)
    assert talk.coach.listened[-1] == text


def test_fragments_join_by_the_moments_of_speaking_when_they_arrive_in_one_burst() -> None:
    talk = Talk()
    for seq, (second, text) in enumerate([(0, "我看了"), (10, "这个"), (11, "贵")], start=1):
        talk.conversation.hear(Utterance(seq, "customer", text, START + timedelta(seconds=second)), talk.coach)
    assert talk.coach.listened == ["我看了", "这个", "这个贵"]


def test_the_reps_interjection_does_not_cut_the_customers_sentence() -> None:
    talk = Talk()
    talk.say(0, "你们家这个价钱我看了一下比别人")
    talk.say(1, "嗯", speaker="rep")
    assert talk.say(2, "贵了点")


def test_a_fragment_after_an_answered_objection_may_be_a_second_one() -> None:
    coach = WordCoach()
    talk = Talk(coach=coach)
    talk.say(0, "这个也太贵了一点吧我觉得")
    # the coach of this test goes by the last word, so the whole is heard as price
    talk.say(1, "牌子嘛，贵")
    assert coach.listened[-2:] == ["这个也太贵了一点吧我觉得牌子嘛，贵", "牌子嘛，贵"]
    talk.say(2, "没听过这牌子")
    hint = talk.release(8)
    assert hint is not None
    assert hint.objection_type == "brand"


def test_what_the_library_cannot_answer_after_all_leaves_no_trace_in_the_cool_down() -> None:
    talk = Talk(coach=WordCoach(silent=True))
    assert talk.say(0, "这个也太贵了一点吧我觉得") is None
    talk.coach.silent = False
    hint = talk.say(1, "还是觉得你们这个贵了好多啊")
    assert hint is not None
    assert hint.number == 1


def test_long_words_are_listened_to_at_their_end() -> None:
    talk = Talk()
    talk.say(0, "啊" * 1000 + "贵")
    assert len(talk.coach.listened[0]) == MOST_WORDS_CHARS
    assert talk.coach.listened[0].endswith("贵")


def test_words_are_counted_and_joined_in_both_languages() -> None:
    assert count_words("太贵了吧!") == 4
    assert count_words("it's too expensive, 真的") == 6
    assert join("你们这个", "太贵了") == "你们这个太贵了"
    assert join("that is", "too expensive") == "that is too expensive"


# Rules for any conversation.

WORDS = [
    "嗯",
    "太贵了",
    "便宜点",
    "质量行不行",
    "什么牌子",
    "今天天气真是不错啊我们出来走走",
    "你们的质量我实在是不太放心啊",
]
STEPS = st.tuples(
    st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0, 7.9, 8.0, 30.0, 179.0, 200.0]),
    st.sampled_from(["customer", "customer", "rep", "tick"]),
    st.sampled_from(WORDS),
    st.integers(-3, 3),
)
TALKS = st.lists(STEPS, max_size=40)
POLICIES = st.builds(
    LivePolicy,
    cooldown_s=st.sampled_from([0.0, 1.0, 8.0, 40.0]),
    repeat_s=st.sampled_from([0.0, 10.0, 180.0]),
    join_within_s=st.sampled_from([0.0, 3.0]),
    fragment_words=st.sampled_from([0, 6]),
)


def play(
    policy: LivePolicy, steps: list[tuple[float, str, str, int]], *, handed_over: bool = False, repeat: int = 0
) -> list[LiveHint]:
    """Play a talk; ``handed_over`` passes the state on as JSON at each step, ``repeat`` sends so many steps again."""
    clock, coach = FixedClock(START), WordCoach()
    conversation = Conversation(policy, clock)
    hints: list[LiveHint | None] = []
    said: list[Utterance] = []
    for seq, (pause_s, speaker, text, slip_s) in enumerate(steps):
        clock.advance(timedelta(seconds=pause_s))
        if handed_over:
            conversation = Conversation(policy, clock, read_state(state_record(conversation.state)))
        if speaker == "tick":
            hints.append(conversation.release(coach))
            continue
        hints.extend(conversation.hear(utterance, coach) for utterance in said[:repeat])
        said.append(Utterance(seq, speaker, text, clock.now() + timedelta(seconds=slip_s)))  # type: ignore[arg-type]
        hints.append(conversation.hear(said[-1], coach))
    return [hint for hint in hints if hint is not None]


@given(POLICIES, TALKS)
def test_two_hints_never_lie_closer_than_the_cool_down(
    policy: LivePolicy, steps: list[tuple[float, str, str, int]]
) -> None:
    hints = play(policy, steps)
    for former, later in pairwise(hints):
        assert (later.at - former.at).total_seconds() >= policy.cooldown_s


@given(POLICIES, TALKS)
def test_no_type_gets_two_hints_within_the_repeat_time(
    policy: LivePolicy, steps: list[tuple[float, str, str, int]]
) -> None:
    last: dict[str, datetime] = {}
    for hint in play(policy, steps):
        if hint.objection_type in last:
            assert (hint.at - last[hint.objection_type]).total_seconds() >= policy.repeat_s
        last[hint.objection_type] = hint.at


@given(POLICIES, TALKS)
def test_hints_are_numbered_without_a_gap_and_each_is_caused_by_another_utterance_of_the_customer(
    policy: LivePolicy, steps: list[tuple[float, str, str, int]]
) -> None:
    hints = play(policy, steps)
    assert [hint.number for hint in hints] == list(range(1, len(hints) + 1))
    assert len({hint.seq for hint in hints}) == len(hints)
    assert all(steps[hint.seq][1] == "customer" for hint in hints)


@given(POLICIES, TALKS, st.integers(0, 40))
def test_sending_any_first_part_again_gives_the_same_hints(
    policy: LivePolicy, steps: list[tuple[float, str, str, int]], repeat: int
) -> None:
    assert play(policy, steps, repeat=repeat) == play(policy, steps)


@given(POLICIES, TALKS, st.integers(0, 40))
def test_the_hints_of_a_first_part_are_the_first_hints(
    policy: LivePolicy, steps: list[tuple[float, str, str, int]], cut: int
) -> None:
    part = play(policy, steps[:cut])
    assert play(policy, steps)[: len(part)] == part


@given(POLICIES, TALKS)
def test_another_process_goes_on_as_if_nothing_had_happened(
    policy: LivePolicy, steps: list[tuple[float, str, str, int]]
) -> None:
    assert play(policy, steps, handed_over=True) == play(policy, steps)


@given(st.lists(st.integers(0, 30), max_size=40))
def test_the_ranges_of_heard_numbers_hold_exactly_what_was_heard(seqs: list[int]) -> None:
    heard = ConversationState().heard
    for seq in seqs:
        heard = with_heard(heard, seq)
    assert {seq for seq in range(-1, 32) if has_heard(heard, seq)} == set(seqs)
    assert all(later[0] > former[1] + 1 for former, later in pairwise(heard))


def test_the_number_of_remembered_gaps_is_bounded_and_nothing_heard_is_forgotten() -> None:
    heard = ConversationState().heard
    for seq in range(0, 1000, 2):
        heard = with_heard(heard, seq)
    assert len(heard) == MOST_GAPS + 1
    assert all(has_heard(heard, seq) for seq in range(0, 1000, 2))
    assert not has_heard(heard, 997)
