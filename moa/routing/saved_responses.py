"""What a saved gate of responses is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moa.errors import GateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from moa.routing.learned.responses import ResponseGate

RESPONSES = "responses"
"""The kind of gate that learned who answers what right."""


def contents(gate: ResponseGate) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return what of a gate goes into JSON, and what into tensors.

    Raises:
        GateError: the gate does not know its encoder, without which it could not be told from a broken one later.
    """
    if gate.origin is None:
        raise GateError("A gate that was fitted on bare vectors cannot be saved: it does not know its encoder.")
    head = gate.head
    manifest: dict[str, Any] = {
        "agents": list(gate.agents),
        "encoder": {"name": gate.origin.name, "dimension": len(gate.origin.probe)},
        "price": gate.price,
        "slope": gate.slope,
        "unit": gate.unit,
        "best": gate.best,
        "facts": gate.facts,
    }
    arrays: dict[str, NDArray[Any]] = {
        "landmarks": head.landmarks,
        "by_landmark": head.by_landmark,
        "forms": head.forms,
        "by_form": head.by_form,
        "form_centre": head.form.centre,
        "form_spread": head.form.spread,
        "bias": head.bias,
        "probe": gate.origin.probe,
    }
    return manifest, arrays


def restored(manifest: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> ResponseGate:
    """Put a gate together again.

    Raises:
        KeyError, TypeError, ValueError, GateError: something is missing, or is not what it should be.
    """
    from moa.routing.learned.form import Form
    from moa.routing.learned.gate import Origin
    from moa.routing.learned.response_head import ResponseHead
    from moa.routing.learned.responses import ResponseGate

    head = ResponseHead(
        Form(arrays["form_centre"], arrays["form_spread"]),
        *(arrays[name] for name in ("landmarks", "by_landmark", "forms", "by_form", "bias")),
    )
    origin = Origin(manifest["encoder"]["name"], arrays["probe"])
    agents = tuple(manifest["agents"])
    return ResponseGate(
        agents,
        head,
        manifest["price"],
        manifest["slope"],
        manifest["unit"],
        manifest["best"],
        origin,
        manifest["facts"],
    )
