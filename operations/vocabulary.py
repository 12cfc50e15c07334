"""The closed word lists of the domain: every code that a record may carry."""

from __future__ import annotations

ROLES = ("rep", "recorder", "logistics", "region_manager", "analyst", "director")
SKILLS = ("campus", "community", "mall", "fair", "key_account", "product_demo", "english", "sichuanese")
CUSTOMER_TYPES = (
    "price_driven",
    "quality_driven",
    "young_parents",
    "elderly",
    "students",
    "shop_owners",
    "companies",
    "newlyweds",
    "landlords",
)
GRADES = ("A", "B", "C")
VISIT_OUTCOMES = ("won", "interested", "follow_up", "refused", "absent", "complaint")
FOLLOW_UP_KINDS = ("send_material", "call_next_day", "sales_call", "personal_text", "use_case", "visit")
FOLLOW_UP_STATES = ("open", "done", "cancelled", "replaced")
ENTRY_KINDS = ("success", "failure", "conflict", "risk", "tool")
ENTRY_STATES = ("draft", "review", "published", "retired")
CREDIT_REASONS = ("accepted", "merged")
LANGUAGES = ("zh", "en")
FEEDBACK_ACTIONS = ("used", "edited", "rejected")
MOVEMENT_KINDS = ("opening", "receipt", "consumption", "transfer_out", "transfer_in", "adjustment", "return")
TRANSFER_STATES = ("proposed", "approved", "rejected", "moved")
PROPOSAL_KINDS = ("transfer", "rush_order", "cross_region", "order")
PROPOSAL_STATES = ("proposed", "approved", "rejected", "moved", "replaced")
EVENT_KINDS = ("exam", "term_start", "fair", "promotion", "opening", "community_day")
PLAN_STATES = ("draft", "published", "superseded")
MODEL_STATES = ("champion", "challenger", "retired")
MODEL_CHANGES = ("trained", "promoted", "chosen", "rolled_back", "pruned")
RISK_KINDS = ("execution", "communication", "external")
RISK_LEVELS = ("blue", "yellow", "red")
ALERT_STATES = ("open", "acknowledged", "escalated", "closed")
MESSAGE_STATES = ("waiting", "sent", "failed")
