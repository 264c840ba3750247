"""How money and time move goals (docs/decisions/0029-goals.md, 0034).

Whatever moves a streamer's goals holds the row of her totals, so that each statement sees what the one before left.
`count_donation` and `count_return` run inside the booking of money, which holds it already. They raise nothing: what
fails there is owed (`goal_arrears`), and made up for by `catch_up`.
"""

from typing import Any

from domain import alerts, outbox
from domain.asides import aside
from domain.events import EventType
from infra import queries


async def count_donation(connection: Any, streamer_id: int, donation_id: int, amount_minor: int) -> None:
    """A donation was paid: it belongs to the goal that is active now, if there is one. After the totals."""
    async with aside(connection, f"Counting donation {donation_id} for a goal") as counting:
        await _count_donation(connection, streamer_id, donation_id, amount_minor)
    if counting.failed:
        await _owe(connection, donation_id)


async def count_return(connection: Any, streamer_id: int, donation_id: int, delta_minor: int) -> None:
    """So many kopecks more of a paid donation went back (below zero: came again). After the totals."""
    async with aside(connection, f"Taking what went back of donation {donation_id} off a goal") as counting:
        await _count_return(connection, streamer_id, donation_id, delta_minor)
    if counting.failed:
        await _owe(connection, donation_id)


async def _count_donation(connection: Any, streamer_id: int, donation_id: int, amount_minor: int) -> None:
    is_due = await queries.goals.is_running_due(connection, streamer_id=streamer_id)
    if is_due is None:
        return
    if is_due:
        # Its time is over, and nobody has said so yet.
        await settle_held(connection, streamer_id)
    reaches = await queries.goals.count_donation(
        connection, streamer_id=streamer_id, donation_id=donation_id, amount_minor=amount_minor
    )
    if reaches:
        await settle_held(connection, streamer_id)


async def _count_return(connection: Any, streamer_id: int, donation_id: int, delta_minor: int) -> None:
    goal_id = await queries.goals.count_return(connection, donation_id=donation_id, delta_minor=delta_minor)
    if goal_id is not None:
        await _follow_carried(connection, streamer_id)
        if delta_minor < 0:
            await settle_held(connection, streamer_id)


async def _owe(connection: Any, donation_id: int) -> None:
    """Without this mark, too, the money is booked: then the log alone knows of it, or the rule `wrong_goal_sums`."""
    async with aside(connection, f"Noting that a goal is owed donation {donation_id}"):
        await queries.goals.insert_arrear(connection, donation_id=donation_id)


async def catch_up(connection: Any, streamer_id: int) -> bool:
    """Make up for what bookings left undone: the donations get their goals, which are counted anew. False: nothing was.

    In a transaction of its own: it locks donations before the totals, as bookings do.
    """
    owed = [row["donation_id"] async for row in queries.goals.lock_arrears(connection, streamer_id=streamer_id)]
    if not owed:
        return False
    await hold(connection, streamer_id)
    await queries.goals.link_arrears(connection, donation_ids=owed)
    await recount(connection, streamer_id)
    await queries.goals.delete_arrears(connection, donation_ids=owed)
    return True


async def settle(connection: Any, streamer_id: int) -> bool:
    """Do what is due by now: celebrate, end, start. To be called after anything that may move a goal outside of a
    booking (money written down by hand, times, settings); the sweep calls it for who forgets. False: nothing was."""
    await hold(connection, streamer_id)
    followed = await _follow_carried(connection, streamer_id)
    return await settle_held(connection, streamer_id) or followed


async def recount(connection: Any, streamer_id: int) -> bool:
    """Count the running sums of a streamer's goals anew from their donations. False: they were right."""
    await hold(connection, streamer_id)
    wrong: int = await queries.goals.recount_goals(connection, streamer_id=streamer_id)
    if wrong:
        await _follow_carried(connection, streamer_id)
        await settle_held(connection, streamer_id)
    return wrong > 0


async def hold(connection: Any, streamer_id: int) -> None:
    await queries.totals.lock_totals(connection, streamer_id=streamer_id)


async def settle_held(connection: Any, streamer_id: int) -> bool:
    """One goal may reach, end and start the next, which is reached by what was carried over, and so on: each turn
    takes a goal one step further, so that this ends."""
    changed = False
    while True:
        running = await queries.goals.get_running(connection, streamer_id=streamer_id)
        if running is None:
            moved = await start_next(connection, streamer_id, only_timed=True)
        elif running["is_reaching"]:
            moved = await queries.goals.mark_reached(connection, goal_id=running["id"]) is not None
            if moved:
                await alerts.enqueue_goal(connection, running["id"])
                facts = {"goal_id": running["id"], "streamer_id": streamer_id}
                await outbox.add_event(connection, EventType.GOAL_REACHED, facts)
        elif running["is_over"]:
            moved = await close(connection, streamer_id, running["id"])
            if moved and running["goals_go_on"]:
                await start_next(connection, streamer_id, only_timed=False)
        else:
            moved = False
        if not moved:
            return changed
        changed = True


async def close(connection: Any, streamer_id: int, goal_id: int) -> bool:
    return await queries.goals.close_goal(connection, streamer_id=streamer_id, goal_id=goal_id) is not None


async def start_next(connection: Any, streamer_id: int, *, only_timed: bool) -> bool:
    goal_id = await queries.goals.find_next(connection, streamer_id=streamer_id, only_timed=only_timed)
    if goal_id is None:
        return False
    return await queries.goals.start_goal(connection, streamer_id=streamer_id, goal_id=goal_id) is not None


async def _follow_carried(connection: Any, streamer_id: int) -> bool:
    followed = False
    while await queries.goals.follow_carried(connection, streamer_id=streamer_id):
        followed = True
    return followed
