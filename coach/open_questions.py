"""Open questions for a customer whose words match no entry: written by hand, chosen by what was heard."""

from __future__ import annotations

from common.errors import Text

_BY_TOPIC = {
    "price": Text(
        "What would it need to do for you to feel worth its price?",
        "您觉得它要帮您解决到什么程度，这个价您才觉得值？",
    ),
    "trust": Text(
        "What would you want to see or check first, before you feel easy about it?",
        "您最想先看到什么、弄清楚什么，心里才踏实？",
    ),
    "decision": Text(
        "Who else at home or at work will use it, and what matters most to them?",
        "家里或单位还有谁会用到它？他们最在意的是什么？",
    ),
    "need": Text(
        "How do you manage this at the moment, and which part of it bothers you most?",
        "您现在这块儿是怎么解决的？哪一点用着最不顺手？",
    ),
    "fit": Text(
        "Where would it stand, and what should it be able to do there?",
        "您打算把它放在哪儿、怎么用？说说看，我帮您对一对。",
    ),
    "arrangements": Text(
        "When would you need it, and what would make the whole thing easy for you?",
        "您大概什么时候要用？怎么安排您会觉得最省心？",
    ),
}

_TOPIC_OF_TYPE = {
    "price_too_high": "price",
    "cheaper_competitor": "price",
    "discount_request": "price",
    "budget_constraint": "price",
    "wait_for_promotion": "price",
    "brand_unknown": "trust",
    "quality_doubt": "trust",
    "safety_environment": "trust",
    "certification_proof": "trust",
    "bad_experience": "trust",
    "privacy_concern": "trust",
    "effect_uncertain": "trust",
    "needs_time": "decision",
    "decision_maker_absent": "decision",
    "no_need": "need",
    "existing_supplier": "need",
    "switching_cost": "need",
    "gift_only": "need",
    "feature_gap": "fit",
    "style_preference": "fit",
    "packaging_portability": "fit",
    "installation_complex": "arrangements",
    "aftersales_warranty": "arrangements",
    "delivery_delay": "arrangements",
    "contract_terms": "arrangements",
    "no_time": "arrangements",
}

GENERAL = Text(
    "What brings you by today, and what would you like to change at home or at work?",
    "您今天过来主要想看点什么？家里或单位有哪块儿想改善的吗？",
)
"""Asked when nothing that was heard points to a topic."""

LEAST_PROBABILITY = 0.5
"""How likely the nearest type must be for its question to be asked instead of the general one."""


def open_question(objection_type: str, probability: float) -> Text:
    """Return the question that opens the topic of the nearest objection type, or the general one."""
    topic = _TOPIC_OF_TYPE.get(objection_type)
    return _BY_TOPIC[topic] if topic is not None and probability >= LEAST_PROBABILITY else GENERAL
