"""The live channel: sockets and event streams that push hints while a conversation goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from api.errors import TooManyRequests
from api.live.switchboard import Switchboard
from api.settings import Settings
from common.errors import Text
from operations.access import Actor
from operations.hint_desk import HintDesk
from operations.hints import EvidenceSource
from operations.live_conversation import LivePolicy
from operations.live_records import LiveDesk, LiveLimits
from operations.store.database import Database

_WINDOW_S = 60


@dataclass(frozen=True)
class LiveChannel:
    """What sockets, event streams and requests of the live channel share in one process.

    Attributes
    ----------
    desk : LiveDesk
        For the use cases.
    switchboard : Switchboard
        Wakes those who follow a conversation.
    brake : UtteranceBrake
        Limits utterances.
    """

    desk: LiveDesk
    switchboard: Switchboard
    brake: UtteranceBrake


class UtteranceBrake:
    """Counts the utterances of each conversation in the last minute, in the memory of this process."""

    def __init__(self, per_minute: int) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def count(self, actor: Actor, conversation_id: str) -> None:
        """Count an utterance.

        Raises
        ------
        TooManyRequests
            When there were too many in the last minute; this one is then not counted.
        """
        if not self._limiter.hit(self._limit, actor.code, conversation_id):
            raise TooManyRequests(
                Text(
                    f"more than {self._limit.amount} utterances a minute: send it again later",
                    f"每分钟超过 {self._limit.amount} 句：请稍后再发",
                ),
                retry_after_s=max(1, _WINDOW_S // self._limit.amount),
            )


def make_channel(
    settings: Settings,
    database: Database,
    hint_desk: HintDesk,
    *,
    evidence_desk: EvidenceSource | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> LiveChannel:
    """Return the live channel of a process."""
    desk = LiveDesk(
        database,
        hint_desk,
        ZoneInfo(settings.time_zone),
        LivePolicy(
            cooldown_s=settings.live_cooldown_s,
            repeat_s=settings.live_repeat_s,
            join_within_s=settings.live_join_s,
        ),
        LiveLimits(keep=timedelta(hours=settings.live_keep_h), conversations=settings.live_conversations),
        evidence_desk,
    )
    switchboard = Switchboard(desk, poll_s=settings.live_poll_s, should_stop=should_stop)
    return LiveChannel(desk, switchboard, UtteranceBrake(settings.live_utterances_per_minute))
