"""How a visit ends and what is said on it: the rules behind the sample's visits.

Every number here was chosen by hand so that the rules of the domain can be found again in the records; none was
measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SKILL_FOR_TYPE = {
    "students": "campus",
    "elderly": "sichuanese",
    "young_parents": "community",
    "price_driven": "community",
    "quality_driven": "product_demo",
    "newlyweds": "mall",
    "companies": "key_account",
    "landlords": "key_account",
    "shop_owners": "mall",
}
WON_LOGIT = {
    "price_driven": -1.5,
    "young_parents": -1.3,
    "quality_driven": -1.6,
    "students": -1.2,
    "elderly": -1.45,
    "shop_owners": -1.5,
    "companies": -2.1,
    "newlyweds": -1.7,
    "landlords": -1.75,
}
ABSENT_SHARE = {"students": 0.10, "elderly": 0.05, "shop_owners": 0.03, "companies": 0.06}
"""Nobody there; 0.09 for the types not named."""
GRADE_LOGIT = {"A": 0.8, "B": 0.15, "C": -0.6, None: 0.0}
SKILL_LOGIT = 0.3
REFUSAL_LOGIT = -0.2
"""For each earlier refusal in a row, up to five."""
PROMOTION_LOGIT = 0.25
WEEKEND_LOGIT = {"young_parents": 0.2, "quality_driven": 0.15, "newlyweds": 0.25, "companies": -0.6, "elderly": -0.05}
COMPLAINT_SHARE = 0.006
TOO_SOON_COMPLAINT_SHARE = 0.012
"""When the last visit was less than three days ago."""

OBJECTION_WEIGHTS = {
    "price_too_high": 9.0,
    "cheaper_competitor": 8.0,
    "discount_request": 7.0,
    "budget_constraint": 4.0,
    "needs_time": 8.0,
    "decision_maker_absent": 5.0,
    "no_need": 6.0,
    "existing_supplier": 2.0,
    "brand_unknown": 4.0,
    "quality_doubt": 4.5,
    "safety_environment": 4.0,
    "certification_proof": 2.0,
    "installation_complex": 2.5,
    "aftersales_warranty": 3.0,
    "delivery_delay": 2.5,
    "bad_experience": 1.2,
    "no_time": 4.5,
    "packaging_portability": 1.5,
    "feature_gap": 2.0,
    "privacy_concern": 2.5,
    "gift_only": 2.0,
    "contract_terms": 1.0,
    "effect_uncertain": 1.2,
    "wait_for_promotion": 3.0,
    "style_preference": 2.5,
    "switching_cost": 1.2,
}
"""How often an objection is heard from anybody, relative to the others."""
TYPE_OBJECTIONS = {
    "price_driven": {"price_too_high": 2.2, "cheaper_competitor": 2.4, "discount_request": 2.0,
                     "wait_for_promotion": 2.0},
    "young_parents": {"safety_environment": 5.0, "certification_proof": 2.0, "decision_maker_absent": 1.5,
                      "no_time": 1.6},
    "quality_driven": {"quality_doubt": 3.5, "certification_proof": 4.0, "feature_gap": 2.5, "style_preference": 1.8,
                       "gift_only": 0.2},
    "students": {"budget_constraint": 3.5, "gift_only": 4.0, "packaging_portability": 4.0, "no_need": 1.5,
                 "contract_terms": 0.1, "decision_maker_absent": 0.5},
    "elderly": {"privacy_concern": 3.0, "brand_unknown": 2.2, "decision_maker_absent": 2.5, "installation_complex": 2.5,
                "gift_only": 2.5, "wait_for_promotion": 0.4},
    "shop_owners": {"existing_supplier": 5.0, "no_time": 2.2, "contract_terms": 3.0, "effect_uncertain": 4.0,
                    "style_preference": 0.4, "safety_environment": 0.3},
    "companies": {"existing_supplier": 5.0, "contract_terms": 10.0, "switching_cost": 7.0, "budget_constraint": 2.0,
                  "certification_proof": 3.5, "delivery_delay": 2.5, "decision_maker_absent": 1.8, "gift_only": 0.05,
                  "effect_uncertain": 3.0, "style_preference": 0.3},
    "newlyweds": {"style_preference": 5.0, "decision_maker_absent": 2.0, "delivery_delay": 3.0,
                  "safety_environment": 2.0},
    "landlords": {"price_too_high": 1.8, "quality_doubt": 1.6, "installation_complex": 2.5, "effect_uncertain": 2.5,
                  "delivery_delay": 2.0, "safety_environment": 0.4, "gift_only": 0.2},
}  # fmt: skip
"""Multipliers of the weights above."""

NEXT_GRADES = {
    "won": {"A": 0.30, "B": 0.55, "C": 0.15},
    "interested": {"A": 0.30, "B": 0.63, "C": 0.07},
    "follow_up": {"A": 0.05, "B": 0.72, "C": 0.23},
    "refused": {"B": 0.12, "C": 0.88},
    "complaint": {"B": 0.45, "C": 0.55},
}


@dataclass(frozen=True, slots=True)
class Situation:
    """What the ending of a visit depends on.

    Attributes
    ----------
    gap_days : int or None
        Days since the last visit; None before the first one.
    talent : float
        The rep's own level, mean 0.
    """

    customer_type: str
    grade: str | None
    gap_days: int | None
    bought_days_ago: int | None
    refusals: int
    skilled: bool
    talent: float
    weekday: int
    promotion: bool
    vacation: bool


def ending_shares(now: Situation) -> dict[str, float]:
    """Return the probability of each outcome; they sum to one."""
    absent = ABSENT_SHARE.get(now.customer_type, 0.09)
    if now.customer_type == "students" and now.vacation:
        absent = 0.5
    if now.customer_type == "companies" and now.weekday >= 5:
        absent = 0.45
    soon = now.gap_days is not None and now.gap_days < 3
    complaint = TOO_SOON_COMPLAINT_SHARE if soon else COMPLAINT_SHARE
    won = 1 / (1 + math.exp(-won_logit(now)))
    refused_weight = 0.9 + 0.28 * min(now.refusals, 5) + {"A": -0.5, "B": -0.2, "C": 0.5, None: 0.2}[now.grade]
    interested_weight = 1.0 + {"A": 0.5, "B": 0.2, "C": -0.4, None: 0.0}[now.grade]
    weights = {"interested": interested_weight, "follow_up": 1.1, "refused": refused_weight}
    total = sum(weights.values())
    met = 1 - absent - complaint
    shares = {outcome: met * (1 - won) * weight / total for outcome, weight in weights.items()}
    return {"won": met * won, **shares, "absent": absent, "complaint": complaint}


def won_logit(now: Situation) -> float:
    """Return the log odds of a sale when somebody is met."""
    logit = WON_LOGIT[now.customer_type] + GRADE_LOGIT[now.grade] + now.talent
    logit += REFUSAL_LOGIT * min(now.refusals, 5)
    logit += SKILL_LOGIT if now.skilled else 0.0
    logit += PROMOTION_LOGIT if now.promotion else 0.0
    if now.weekday >= 5:
        logit += WEEKEND_LOGIT.get(now.customer_type, 0.0)
    if now.gap_days is not None and now.gap_days < 3:
        logit -= 0.5
    elif now.gap_days is not None and now.gap_days > 45:
        logit -= 0.25
    if now.bought_days_ago is not None and now.bought_days_ago < 30:
        logit -= 0.8
    return logit


def objection_weights(customer_type: str, *, before_sale: bool, during_sale: bool) -> dict[str, float]:
    """Return how often each objection type is heard from such a customer, relative to the others.

    Parameters
    ----------
    before_sale, during_sale : bool
        In the two weeks before a big sale customers wait for it; during it they compare prices.
    """
    weights = {
        code: weight * TYPE_OBJECTIONS[customer_type].get(code, 1.0) for code, weight in OBJECTION_WEIGHTS.items()
    }
    if before_sale:
        weights["wait_for_promotion"] *= 4.0
    if during_sale:
        weights["cheaper_competitor"] *= 1.8
        weights["discount_request"] *= 1.5
    return weights
