"""The panel: agents that draft in parallel, where the failure of one is not the failure of all."""

from moa.panel.drafting import Brief, Outcome, draft_all
from moa.panel.settings import Drafting

__all__ = ["Brief", "Drafting", "Outcome", "draft_all"]
