"""All tables, by area."""

from operations.store.tables.customers import Customer, CustomerTag, FollowUp, Visit, VisitMaterial, VisitObjection
from operations.store.tables.forecasting import ForecastModelChange, ForecastOverride, ForecastRun
from operations.store.tables.lending import DayOff, LendingTerms, LentDay
from operations.store.tables.library import (
    Hint,
    HintFeedback,
    HintSuggestion,
    LibraryEntryRow,
    LibraryUtterance,
    TalkTrack,
)
from operations.store.tables.library_work import LibraryCredit, LibraryImport
from operations.store.tables.live import LiveConversation, LiveEvent
from operations.store.tables.organisation import ApiKey, Person, PersonSkill, Region
from operations.store.tables.oversight import Alert, AuditRecord, Incident, KeptAnswer, Message
from operations.store.tables.plans import PlannedStop, RoutePlan, RoutePlanVersion, StaffReallocation
from operations.store.tables.stock import (
    DailyConsumption,
    Event,
    Forecast,
    ForecastModel,
    ForecastTotal,
    Material,
    PlannedActivity,
    StockMovement,
    Transfer,
    Warehouse,
)
from operations.store.tables.stock_proposals import StockProposal

__all__ = [
    "Alert",
    "ApiKey",
    "AuditRecord",
    "Customer",
    "CustomerTag",
    "DailyConsumption",
    "DayOff",
    "Event",
    "FollowUp",
    "Forecast",
    "ForecastModel",
    "ForecastModelChange",
    "ForecastOverride",
    "ForecastRun",
    "ForecastTotal",
    "Hint",
    "HintFeedback",
    "HintSuggestion",
    "Incident",
    "KeptAnswer",
    "LendingTerms",
    "LentDay",
    "LibraryCredit",
    "LibraryEntryRow",
    "LibraryImport",
    "LibraryUtterance",
    "LiveConversation",
    "LiveEvent",
    "Material",
    "Message",
    "Person",
    "PersonSkill",
    "PlannedActivity",
    "PlannedStop",
    "Region",
    "RoutePlan",
    "RoutePlanVersion",
    "StaffReallocation",
    "StockMovement",
    "StockProposal",
    "TalkTrack",
    "Transfer",
    "Visit",
    "VisitMaterial",
    "VisitObjection",
    "Warehouse",
]
