"""The control API's half about the bank as a whole: terminals, faults, the clock, the registry."""

import secrets
from dataclasses import asdict, replace
from datetime import date

from pydantic import Field, model_validator
from quart import Response, abort, current_app, jsonify, request

from simulator.api import METHODS
from simulator.control_parts import (
    Body,
    control_blueprint,
    read_json,
    the_bank,
    the_clock,
    the_courier,
    the_faults,
)
from simulator.courier import RetrySchedule
from simulator.faults import HTTP_ERRORS, NOTIFICATION_FAULT_KINDS, Fault, FaultKind
from simulator.records import Terminal
from simulator.registry import registry
from simulator.yookassa.bank import YooKassaBank

blueprint = control_blueprint("control_bank")


class TerminalBody(Body):
    terminal_key: str = Field(min_length=1, max_length=20)
    password: str = Field(min_length=1, max_length=20)
    notification_url: str | None = None
    sbp: bool | None = None
    """None leaves a switch as it is; a new terminal has SBP, no register and no limits on refunds."""
    cash_register: bool | None = None
    refund_limits: bool | None = None


class FaultBody(Body):
    method: str = "*"
    kind: FaultKind
    times: int = Field(default=1, ge=1)
    seconds: float = Field(default=60.0, ge=0)
    code: str = Field(default="9999", pattern=r"^I?\d{1,5}$")
    carried_out: bool | None = None
    probability: float | None = Field(default=None, ge=0, le=1)
    """Of each call, until the fault is taken back; `times` does not matter then."""
    seed: int | None = None
    """None: another one each time, told in the answer."""
    payment_id: int | None = None

    @model_validator(mode="after")
    def fits(self) -> "FaultBody":
        if self.kind in NOTIFICATION_FAULT_KINDS and self.method in ("*", *METHODS):
            raise ValueError(f"{self.kind} is for notifications")
        return self

    def fault(self) -> Fault:
        # A server that breaks down usually does so before it did anything; silence and cut lines come after.
        carried_out = self.carried_out if self.carried_out is not None else self.kind not in HTTP_ERRORS
        return Fault(
            self.method,
            self.kind,
            self.times,
            self.seconds,
            self.code,
            carried_out,
            self.probability,
            self.seed if self.seed is not None else secrets.randbelow(2**31),
            self.payment_id,
        )


class ClockBody(Body):
    advance_seconds: float = Field(default=0, ge=0)
    unit_seconds: float | None = Field(default=None, gt=0)
    """The bank's "hour" between the tries of a notification, from the next failed try on."""


@blueprint.get("/health")
async def health() -> Response:
    """How much both banks have to tell yet."""
    yookassa: YooKassaBank = current_app.extensions["yookassa_bank"]
    stores = (the_bank().store, yookassa.store)
    return jsonify({"status": "ok", "waiting_notifications": sum(s.count_waiting_notifications() for s in stores)})


@blueprint.get("/terminals")
async def list_terminals() -> Response:
    """Without their passwords."""
    terminals = [asdict(terminal) for terminal in the_bank().store.list_terminals()]
    return jsonify({"terminals": [{k: v for k, v in one.items() if k != "password"} for one in terminals]})


@blueprint.post("/terminals")
async def save_terminal() -> Response:
    body = TerminalBody.model_validate(await read_json())
    store = the_bank().store
    known = store.find_terminal(body.terminal_key) or Terminal(body.terminal_key, body.password, None)
    changes = body.model_dump(exclude_none=True) | {"notification_url": body.notification_url}
    store.save_terminal(replace(known, **changes))
    return jsonify({"terminal_key": body.terminal_key})


@blueprint.post("/faults")
async def add_fault() -> Response:
    body = FaultBody.model_validate(await read_json())
    return jsonify(asdict(the_faults().add(body.fault())))


@blueprint.get("/faults")
async def list_faults() -> Response:
    """Those that are set, and how often each kind has struck: `{"Init": {"reset": 3}}`."""
    faults = the_faults()
    return jsonify({"faults": [asdict(fault) for fault in faults.all()], "struck": faults.struck()})


@blueprint.delete("/faults")
async def clear_faults() -> Response:
    the_faults().clear()
    return jsonify({"faults": []})


@blueprint.delete("/faults/<int:fault_id>")
async def clear_fault(fault_id: int) -> Response:
    the_faults().clear(fault_id)
    return await list_faults()


@blueprint.get("/clock")
async def show_clock() -> Response:
    clock = the_clock()
    unit_seconds = the_courier().schedule.unit_seconds
    return jsonify({"now": clock(), "ahead_seconds": clock.ahead_seconds, "unit_seconds": unit_seconds})


@blueprint.post("/clock")
async def set_clock() -> Response:
    """Put the clock forward, and change the length of the bank's "hour"."""
    body = ClockBody.model_validate(await read_json())
    if body.unit_seconds is not None:
        the_courier().schedule = RetrySchedule(body.unit_seconds)
    the_clock().advance(body.advance_seconds)
    the_bank().let_time_pass()
    return await show_clock()


@blueprint.get("/registry")
async def show_registry() -> Response:
    """The bank's registry of a day (`day=YYYY-MM-DD`, Moscow time) for `terminal_key`."""
    terminal = the_bank().store.find_terminal(request.args.get("terminal_key", ""))
    if terminal is None:
        abort(404)
    try:
        day = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        abort(422)
    name = f"registry-{terminal.terminal_key}-{day}.csv"
    return Response(
        registry(the_bank().store, terminal, day),
        content_type="text/csv; charset=windows-1251",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
