"""Logs: a line a request, for people or for programs. No question, no answer and no key is ever in one."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from moa.untrusted import one_line

if TYPE_CHECKING:
    from moa.server.exchange import Exchange

Format = Literal["text", "json"]
_log = logging.getLogger("moa.server")
_LONGEST = 500
_SECRETS: Final = re.compile(
    r"(?i)(?:\b(?:moa|sk|pk|rk|gsk|xai|hf|ghp|key)[-_][A-Za-z0-9_\-]{12,})"
    r"|(?<=bearer )\S+|(?<=api[-_]key[=:])\s*\S+|(?<=://)[^/\s@]+:[^/\s@]+(?=@)|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+"
)


def redacted(text: str) -> str:
    """Return a text without what looks like a key."""
    return _SECRETS.sub("[redacted]", text)


def log_exchange(exchange: Exchange) -> None:
    """Log one request that is over."""
    failed = exchange.status >= 500  # noqa: PLR2004
    level = logging.ERROR if failed else logging.WARNING if exchange.refusal else logging.INFO
    if not _log.isEnabledFor(level):
        return
    told: dict[str, Any] = {
        "request": exchange.id,
        "key": exchange.tenant.id if exchange.tenant else "",
        "method": exchange.method[:20],
        "path": exchange.path[:200],
        "status": exchange.status,
        "seconds": round(exchange.seconds, 4),
    }
    if exchange.runs:
        told |= {"runs": exchange.runs, "mixture": exchange.mixture, "panel": list(exchange.panel)}
        told["stream"] = exchange.streamed
    if exchange.answers:
        used = [answer.tokens for answer in exchange.answers]
        costs = [answer.cost_usd for answer in exchange.answers]
        told["tokens"] = None if any(each.total is None for each in used) else sum(each.total or 0 for each in used)
        told["cost_usd"] = None if None in costs else sum(cost or 0.0 for cost in costs)
        told["degraded"] = sorted({one.what for answer in exchange.answers for one in answer.degraded})
    if exchange.refusal:
        told["code"] = exchange.refusal.code
    if exchange.detail:
        told["detail"] = exchange.detail
    _log.log(level, "%s %s %d", told["method"], told["path"], exchange.status, extra={"moa": told})


class _Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": _safe(record.getMessage()),
            **{name: _safe(value) for name, value in getattr(record, "moa", {}).items()},
        }
        if record.exc_info:
            told["exception"] = _safe(self.formatException(record.exc_info))
        return json.dumps(told, ensure_ascii=False)


class _Text(logging.Formatter):
    """One line for a person."""

    def format(self, record: logging.LogRecord) -> str:
        told = getattr(record, "moa", {})
        shown = " ".join(
            f"{name}={_safe(value)}"
            for name, value in told.items()
            if name not in {"method", "path", "status"} and value not in ("", [], None)
        )
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        line = f"{at} {record.levelname.lower():<7} {_safe(record.getMessage())}  {shown}".rstrip()
        if record.exc_info:
            line += "\n" + redacted(self.formatException(record.exc_info))
        return line


def _safe(value: Any) -> Any:
    """Return a value that may stand in a log: no keys, no line breaks, nothing that steers a terminal."""
    if isinstance(value, str):
        return redacted(one_line(value))[:_LONGEST]
    return [_safe(each) for each in value] if isinstance(value, list) else value


def set_up_logs(form: Format) -> None:
    """Have the server's log, and the web server's complaints, written to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Text())
    for name in ("moa.server", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO if name == "moa.server" else logging.WARNING)
