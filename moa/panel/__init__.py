"""The panel: agents that draft in parallel, where the failure of one is not the failure of all.

`drafting` asks everybody and waits for all or for a quorum (`quorum` is its rule); `one_draft` is one of them on its
way, with fallback models, the conversation cut to the model's window (`fitting`) and second calls beside slow ones
(`hedging`).
"""

from moa.panel.brief import Brief, Outcome
from moa.panel.drafting import draft_all
from moa.panel.settings import Drafting, Hedge

__all__ = ["Brief", "Drafting", "Hedge", "Outcome", "draft_all"]
