"""What the two halves of the control API share: bodies, errors, and the parts of the running bank."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from quart import Blueprint, Response, abort, current_app, jsonify, request

from simulator.bank import Bank
from simulator.clock import Clock
from simulator.courier import SimulatedCourier
from simulator.faults import Faults
from simulator.records import Payment
from simulator.states import WrongStateError


class Body(BaseModel):
    """A field that nobody knows is an error."""

    model_config = ConfigDict(extra="forbid")


async def on_bad_body(error: ValidationError) -> tuple[Response, int]:
    """What is wrong with a body, field by field."""
    return jsonify({"error": "bad body", "details": error.errors(include_url=False, include_context=False)}), 422


async def on_wrong_state(error: WrongStateError) -> tuple[Response, int]:
    """The payment cannot do that from where it is."""
    return jsonify({"error": str(error)}), 409


def control_blueprint(name: str) -> Blueprint:
    """A part of the control API."""
    blueprint = Blueprint(name, __name__, url_prefix="/_sim")
    blueprint.register_error_handler(ValidationError, on_bad_body)
    blueprint.register_error_handler(WrongStateError, on_wrong_state)
    return blueprint


def the_bank() -> Bank:
    bank: Bank = current_app.extensions["bank"]
    return bank


def the_courier() -> SimulatedCourier:
    courier: SimulatedCourier = current_app.extensions["courier"]
    return courier


def the_faults() -> Faults:
    faults: Faults = current_app.extensions["faults"]
    return faults


def the_clock() -> Clock:
    clock: Clock = current_app.extensions["clock"]
    return clock


def find_payment(payment_id: int) -> tuple[Bank, Payment]:
    """The payment as it is by now; 404 for none."""
    bank = the_bank()
    bank.let_time_pass()
    payment = bank.store.find_payment(payment_id) if payment_id < 2**63 else None
    if payment is None:
        abort(404)
    return bank, payment


async def read_json() -> Any:
    """The body, empty if there is none. A form is refused: any web page could make a browser send one."""
    if not await request.get_data():
        return {}
    if not request.is_json:
        abort(415)
    return await request.get_json()
