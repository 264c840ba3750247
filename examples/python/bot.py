"""A bot that says thank you: prints each donation once, also those that came while it was away.

STREAMCASH_URL    where the site is, https://donate.example.org; with `make run` http://127.0.0.1:8001
STREAMCASH_TOKEN  an API token with the scope donations:read
STREAMCASH_STATE  where it remembers (default: bot-state.json)
"""

import asyncio
import json
import os
import random
import sys
from pathlib import Path
from typing import Any

import socketio

NAMESPACE = "/events"
HOPELESS = {"bad_message", "unknown_token", "wrong_streamer", "no_scope"}
"""Why coming back would not help."""


class State:
    """How far we are: the cursor of the last message handled, and the donations handled lately."""

    def __init__(self, path: Path) -> None:
        self._path = path
        kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        self.cursor: str | None = kept.get("cursor")
        self.seen: list[int] = kept.get("seen", [])

    def save(self) -> None:
        """All or nothing: a power cut leaves the former file."""
        unfinished = self._path.with_suffix(".new")
        text = json.dumps({"cursor": self.cursor, "seen": self.seen[-2_000:]})
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(self._path)


def roubles(amount_minor: int) -> str:
    """Kopecks are whole numbers; floats would lose some."""
    return f"{amount_minor // 100}.{amount_minor % 100:02}"


class Bot(socketio.AsyncClientNamespace):
    def __init__(self, state: State) -> None:
        super().__init__(NAMESPACE)
        self.state = state
        self.refused: str | None = None

    async def on_welcome(self, data: dict[str, Any]) -> None:
        say(f"listening to {data['streamer']['slug']}: {', '.join(data['events'])}")
        self._handled(data)

    async def on_donation(self, data: dict[str, Any]) -> None:
        name, amount = data["donor_name"] or "Anonymous", roubles(data["amount_minor"])
        test = " (test)" if data["is_test"] else ""
        if data["change"] == "changed":
            # Refunded, charged back, hidden or shown again: whatever shows the donation is to be put right.
            say(f"donation {data['donation_id']} is {data['status']}{', hidden' if data['is_hidden'] else ''}")
        elif data["donation_id"] not in self.state.seen:
            # At least once: what we know already is a repeat.
            say(f"{name}: {amount} {data['currency']}{test} {data['message']}")
            self.state.seen.append(data["donation_id"])
        self._handled(data)

    async def on_stats(self, data: dict[str, Any]) -> None:
        say(f"today: {roubles(data['today_minor'])} {data['currency']} in {data['today_donations']} donations")
        self._handled(data)

    async def on_cursor(self, data: dict[str, Any]) -> None:
        self._handled(data)

    async def on_gap(self, data: dict[str, Any]) -> None:
        say("we were away for too long: older donations are to be asked for by the REST API")
        self._handled(data)

    async def on_refused(self, data: dict[str, Any]) -> None:
        self.refused = data["code"]

    async def on_connect_error(self, error: Any) -> None:
        # Our own refusals say why in `data`; others are a network that is away.
        data = error.get("data") if isinstance(error, dict) else None
        self.refused = data.get("code") if isinstance(data, dict) else None

    def _handled(self, data: dict[str, Any]) -> None:
        """After the message was handled, never before: then it may come twice, but never not at all."""
        self.state.cursor = data["cursor"]
        self.state.save()


def say(text: str) -> None:
    print(text, flush=True)


async def listen(url: str, token: str, state: State) -> int:
    """For ever; returns when coming back would not help."""
    pause = 1.0
    while True:
        client = socketio.AsyncClient(reconnection=False)
        bot = Bot(state)
        client.register_namespace(bot)
        hello = {"token": token}
        if state.cursor is not None:
            hello["after"] = state.cursor
        try:
            await client.connect(url, namespaces=[NAMESPACE], auth=hello, transports=["websocket"])
            pause = 1.0
            await client.wait()
        except socketio.exceptions.ConnectionError:
            pass
        finally:
            await client.disconnect()
        if bot.refused in HOPELESS or bot.refused == "revoked":
            say(f"not let in: {bot.refused}")
            return 1
        say(f"no connection to {url}: trying again")
        # Not all bots at once.
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))
        pause = min(pause * 2, 30)


def main() -> int:
    state = State(Path(os.environ.get("STREAMCASH_STATE", "bot-state.json")))
    try:
        return asyncio.run(listen(os.environ["STREAMCASH_URL"], os.environ["STREAMCASH_TOKEN"], state))
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
