"""What is written of a server that is watched, line by line. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import localtime, strftime

from textual.content import Content

from moa.backends.breaker import BreakerState
from moa.tui.bars import bar
from moa.tui.card import spread
from moa.tui.sparkline import sparkline, together
from moa.tui.themes import Colours
from moa.tui.watching_figures import answer_seconds, over_time, percentile, requests_a_second, shares
from moa.tui.watching_items import Line, Standing
from moa.tui.watching_state import AgentFigures, Watched, WatchedRun
from moa.tui.words import duration, usd
from moa.untrusted import one_line

_LABEL = 10
_SPARK, _SPARK_NARROW = 50, 15
_SHARE_BAR = 8
_NARROW = 100
_COLUMNS = f"{'drafts':>6} {'failed':>6} {'p50':>7} {'cost':>7}"
_BEFORE = "asked before you began to watch"
_FULLEST_RATE = 99.5
_BREAKERS = {"closed": ("✓", "$success"), "open": ("✗", "$error"), "half_open": ("◐", "$warning")}
_SAID = {"closed": "closed", "open": "open", "half_open": "half open: the next call is a try"}
_STATUS = {
    "running": ("▸", "$primary"),
    "finished": ("✓", "$success"),
    "failed": ("✗", "$error"),
    "cancelled": ("■", "$quiet"),
    "lost": ("?", "$quiet"),
}


def figures(state: Watched, colours: Colours, now: float, width: int, height: int) -> list[Content]:
    """Return the figures of the whole server in at most `height` lines; what is wrong has precedence.

    Args:
        state: the server.
        colours: of the agents.
        now: wall-clock time of the server, seconds since 1970.
        width: cells.
        height: lines.
    """
    head = [_requests(state, now, width), *_of_requests(state), _answers(state, now), _spend(state), _load(state)]
    lines = [line for line in head if line]
    backends = list(_backends(state, width))
    agents = _agents(state, colours, now, width)
    room = max(2, height - len(lines) - min(len(backends), max(2, height // 4)) - 2)
    if len(agents) > room:
        left = len(agents) - room + 1
        agents = [*agents[: room - 1], Content.assemble((f"… and {left} more", "$quiet"))]
    lines += [Content(), *agents]
    room = height - len(lines) - 1
    if backends and room > 0:
        if len(backends) > room:
            left = len(backends) - room + 1
            backends = [*backends[: room - 1], Content.assemble((f"… and {left} more", "$quiet"))]
        lines += [Content(), *backends]
    return [line.truncate(width, ellipsis=True) for line in lines[:height]]


def line_text(line: Line, server: Standing | None) -> tuple[str, str]:
    """Return how the line to the server is, and the style to say it in."""
    match line.state:
        case "connecting":
            return "◌ connecting …", "$quiet"
        case "live":
            return (
                ("◐ live, but the server is stopping", "$warning")
                if server and server.draining
                else (
                    "● live",
                    "$success",
                )
            )
        case "waiting":
            return f"✗ no line, trying again in {max(1, round(line.retry_in))} s", "$warning"
        case "ended":
            return "✗ no line", "$error"


def run_line(run: WatchedRun, now: float, width: int, *, chosen: bool) -> Content:
    """Return one line of the list of runs."""
    sign, style = _STATUS[run.status]
    seconds = run.seconds if run.seconds is not None else max(0.0, now - run.started_at)
    took = "" if run.status in {"lost", "cancelled"} else duration(seconds)
    cost = "" if run.status != "finished" else "$?" if run.cost_usd is None else usd(run.cost_usd)
    who = one_line(" + ".join(run.panel)) or "…"
    who = f"◆ {who}" if run.fallback else who
    told = run.error or run.question or (_BEFORE if run.over else "")
    note = "!" if run.degraded and run.status != "failed" else " "
    line = Content.assemble(
        (f"{clock(run.started_at)} ", "$quiet"),
        (note, "$warning"),
        (f"{sign} ", style),
        Content(who).truncate(_who_width(width), ellipsis=True, pad=True),
        f" {took:>8} {cost:>9}  ",
        (one_line(told), "$error" if run.error else "$foreground" if run.question else "$quiet"),
    )
    line = line.truncate(width, ellipsis=True, pad=True)
    return line.stylize("on $panel") if chosen else line


def clock(at: float) -> str:
    """Return a time of day in this machine's time zone."""
    try:
        return strftime("%H:%M:%S", localtime(at))
    except (ValueError, OverflowError, OSError):
        return "??:??:??"


def _who_width(width: int) -> int:
    return 14 if width < _NARROW else 24


def _labelled(label: str, *parts: tuple[str, str] | str | Content) -> Content:
    return Content.assemble((f"{label:<{_LABEL}}", "$quiet"), *parts)


def _spark_width(width: int) -> int:
    return _SPARK if width >= _NARROW else _SPARK_NARROW


def _requests(state: Watched, now: float, width: int) -> Content:
    rate = requests_a_second(state, now)
    said = f"{rate:.0f}/s" if rate > _FULLEST_RATE else f"{rate:.1f}/s"
    spark = sparkline(over_time(state, now, lambda slot: slot.started), _spark_width(width))
    return _labelled(
        "Requests", (f"{said:<8}", "$foreground bold"), (spark, "$primary on $track"), (" 5 min", "$quiet")
    )


def _of_requests(state: Watched) -> Iterable[Content]:
    server = state.server
    parts = [f"{state.in_flight} under way{_of(server.max_in_flight if server else None)}"]
    trouble: list[str] = []
    if server is not None:
        if server.queued is not None:
            parts.append(f"{server.queued} queued{_of(server.max_queued)}")
        if server.requests is not None:
            parts.append(f"{server.requests:,} since the start")
        trouble += [f"{server.failed:,} failed"] if server.failed else []
        trouble += [f"{server.rejected:,} turned away"] if server.rejected else []
    if state.gaps:
        parts.append(f"{state.lost:,} items missed" if state.lost else "items missed")
    yield _labelled("", ("".join(f"{each} · " for each in trouble), "$warning"), " · ".join(parts))


def _of(most: int | None) -> str:
    return "" if most is None else f" of {most}"


def _answers(state: Watched, now: float) -> Content:
    took = answer_seconds(state, now)
    trouble = [f"{state.failed} failed"] if state.failed else []
    trouble += [f"{state.degraded} degraded"] if state.degraded else []
    stopped = [f"{state.cancelled} broken off"] if state.cancelled else []
    said: list[tuple[str, str]] = []
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
        value = percentile(took, share)
        said += [(f"{name} ", "$quiet"), (f"{'–' if value is None else duration(value):<8}", "$foreground")]
    of = f"of {len(took):,} in 5 min" if took else "no answers yet"
    after = " · ".join([of, *stopped])
    return _labelled("Answers", *said, ("".join(f"{each} · " for each in trouble), "$warning"), (after, "$quiet"))


def _spend(state: Watched) -> Content:
    seen = usd(state.cost_usd) if not state.unpriced else f"{usd(state.cost_usd)} and {state.unpriced} of unknown cost"
    parts = [f"{seen} while watched"]
    if state.server is not None and state.server.requests is not None:
        cost = state.server.cost_usd
        parts.insert(0, f"{usd(cost)} since the start" if cost is not None else "cost since the start unknown")
        tokens = state.server.tokens
        if tokens and tokens.input is not None and tokens.output is not None:
            parts.append(f"{tokens.input:,} tokens in, {tokens.output:,} out")
    return _labelled("Spend", " · ".join(parts))


def _load(state: Watched) -> Content:
    load = state.server.load if state.server else None
    parts: list[str] = []
    if load and load.cpu is not None:
        parts.append(f"{load.cpu:.1f} {'core' if f'{load.cpu:.1f}' == '1.0' else 'cores'} busy")
    if load and load.memory_bytes is not None:
        parts.append(f"{load.memory_bytes / 1e6:,.0f} MB of memory")
    if state.server and state.server.uptime is not None:
        parts.append(f"up {_long(state.server.uptime)}")
    return _labelled("Load", " · ".join(parts)) if parts else Content()


def _long(seconds: float) -> str:
    """Return a long time as people say it."""
    minutes = int(max(0.0, min(seconds, 1e12)) // 60)
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours < 48 else f"{hours // 24} days"  # noqa: PLR2004


def _agents(state: Watched, colours: Colours, now: float, width: int) -> list[Content]:
    if not state.agents:
        return [Content.assemble(("No agent was asked yet.", "$quiet"))]
    share = shares(state, now)
    order = sorted(state.agents, key=lambda name: (-share[name], list(state.agents).index(name)))
    name_width = min(16, max(len(one_line(name)) for name in order)) + 2
    spark = _spark_width(width)
    most = max((max(_chosen(state, name, now, spark), default=0.0) for name in order), default=0.0)
    heading = Content.assemble(("Agents", "bold"), ("  share of 5 min", "$quiet"))
    return [
        spread(heading, Content.assemble((_COLUMNS, "$quiet")), width),
        *(_agent(state, name, colours, now, width, (name_width, spark, most), share[name]) for name in order),
    ]


def _chosen(state: Watched, name: str, now: float, width: int) -> Sequence[float]:
    return together(over_time(state, now, lambda slot: slot.chosen.get(name, 0)), width)


def _agent(
    state: Watched, name: str, colours: Colours, now: float, width: int, sizes: tuple[int, int, float], share: float
) -> Content:
    name_width, spark, most = sizes
    known = state.agents[name]
    style = colours.of(name)
    row = sparkline(over_time(state, now, lambda slot: slot.chosen.get(name, 0)), spark, most=most)
    left = Content.assemble(
        Content.assemble((one_line(name), style)).truncate(name_width, ellipsis=True, pad=True),
        *((text, f"{style} on $track") for text, _ in bar(share, _SHARE_BAR)),
        f" {share:4.0%} ",
        (row, f"{style} on $track"),
        (_in_flight(state, name), "$primary"),
    )
    return spread(left, _of_agent(known), width)


def _in_flight(state: Watched, name: str) -> str:
    agent = state.server.agents.get(name) if state.server else None
    if agent is None or not agent.in_flight:
        return ""
    return f" {agent.in_flight}{_of(agent.capacity)} ▸"


def _of_agent(known: AgentFigures) -> Content:
    p50 = percentile(known.seconds, 0.5)
    cost = "$?" if known.unpriced else usd(known.cost_usd)
    return Content.assemble(
        f"{known.drafts:>6,} ",
        (f"{known.failed:>6,}", "$error" if known.failed else "$foreground"),
        f" {'–' if p50 is None else duration(p50):>7} {cost:>7}",
    )


def _backends(state: Watched, width: int) -> Iterable[Content]:
    if state.server is None or not state.server.backends:
        return
    backends = state.server.backends
    bad = [name for name, breaker in backends.items() if breaker.state != "closed"]
    fine = len(backends) - len(bad)
    note = f"{fine} closed" + (f", {len(bad)} not" if bad else ": all are let through")
    yield spread(Content.assemble(("Breakers", "bold")), Content.assemble((note, "$quiet")), width)
    for name in [*bad, *(name for name in backends if name not in bad)]:
        yield _breaker(name, backends[name])


def _breaker(name: str, breaker: BreakerState) -> Content:
    sign, style = _BREAKERS[breaker.state]
    said = [_SAID[breaker.state]]
    if breaker.state == "open" and breaker.retry_in > 0:
        said.append(f"next try in {duration(breaker.retry_in)}")
    if breaker.failures:
        said.append(f"{breaker.failures} failed in a row")
    if breaker.last_failure:
        said.append(one_line(breaker.last_failure))
    return Content.assemble((f"{sign} ", style), one_line(name), ("  " + " · ".join(said), "$quiet"))
