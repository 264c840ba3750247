"""Who uses the composed system: an operator at the command line, a donor and OBS in a real browser."""

import json
import re
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, async_playwright, expect

from tests.compose.engine import Composed
from tests.support.chromium import chromium_arguments, find_chromium

TERMINAL_PASSWORD = "composed-terminal"
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Streamer:
    slug: str
    email: str
    password: str
    donate_url: str
    realtime_url: str
    overlay_token: str

    @property
    def overlay_url(self) -> str:
        return f"{self.realtime_url}/overlay#{self.overlay_token}"


def add_streamer(composed: Composed, number: int, simulator_url: str) -> Streamer:
    """By the manage command, as docs/server.md says; the simulated bank gets to know the terminal."""
    slug, email, terminal_key = f"anya-{number}", f"anya-{number}@example.com", f"composed{number:04}"
    manage = ("exec", "-T", "api-gateway", "python", "-m", "web.manage")
    told = composed.run(
        *manage, "create-streamer", "--email", email, "--slug", slug, "--display-name", "Аня", stdin=f"{PASSWORD}\n"
    )
    composed.run(
        *manage, "set-terminal", "--slug", slug, "--terminal-key", terminal_key, stdin=f"{TERMINAL_PASSWORD}\n"
    )
    body = json.dumps({"terminal_key": terminal_key, "password": TERMINAL_PASSWORD}).encode()
    request = urllib.request.Request(
        f"{simulator_url}/_sim/terminals", data=body, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10):
        pass
    overlay = re.search(r"(https://[^/\s]+)/overlay#(\S+)", told)
    assert overlay is not None, told
    return Streamer(slug, email, PASSWORD, f"{overlay[1]}/donate/{slug}", overlay[1], overlay[2])


async def donate_in_a_browser(composed: Composed, streamer: Streamer, pictures: Path | None) -> None:
    """Pay through nginx over TLS, and see the alert in OBS; then look at the dashboard."""
    values = composed.values
    ports = {f"{values['DOMAIN']}:443": values["HTTPS_PORT"], "simulator:8010": f"127.0.0.1:{values['SIMULATOR_PORT']}"}
    rules = ", ".join(f"MAP {name} {address}" for name, address in ports.items())
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find_chromium(), args=[*chromium_arguments(), f"--host-resolver-rules={rules}"]
        )
        try:
            await _donate(browser, streamer, pictures)
        finally:
            await browser.close()


async def _donate(browser: Browser, streamer: Streamer, pictures: Path | None) -> None:
    obs = await browser.new_page(ignore_https_errors=True, viewport={"width": 1280, "height": 720})
    await obs.add_init_script("window.obsstudio = {getControlLevel: (give) => give(1), getStatus: (give) => give({})};")
    await obs.goto(streamer.overlay_url)
    donor = await browser.new_page(
        ignore_https_errors=True, locale="ru-RU", viewport={"width": 390, "height": 844}, has_touch=True
    )
    await donor.goto(streamer.donate_url)
    await donor.locator("#amount").fill("1500")
    await donor.get_by_label("Сообщение").fill("Привет через nginx")
    await donor.get_by_label("Ваше имя").fill("Аня")
    await donor.locator("#consent").check()
    await donor.locator("button.pay").click()
    await donor.locator('a[href*="/pay/"]:visible').click(timeout=20_000)
    await donor.locator('button[data-attempt="card"]').click()
    alert = obs.locator(".alert")
    await expect(alert).to_contain_text("Привет через nginx", timeout=30_000)
    # Its entry takes a moment.
    await expect(alert.locator(".amount")).to_contain_text("1 500")
    if pictures is not None:
        await obs.screenshot(path=pictures / "compose-overlay.png")
    await expect(donor.locator("time")).to_be_visible(timeout=30_000)

    her = await browser.new_page(
        ignore_https_errors=True, locale="ru-RU", viewport={"width": 1280, "height": 900}, color_scheme="dark"
    )
    await her.goto(f"{streamer.realtime_url}/sign-in")
    await her.locator("#email").fill(streamer.email)
    await her.locator("#password").fill(streamer.password)
    await her.get_by_role("button", name="Войти").click()
    await expect(her.locator(".feed-rows")).to_contain_text("Привет через nginx")
    # The certificate is self-signed, and she is told what that means.
    await expect(her.locator("#bar")).to_contain_text("самоподписанный сертификат")
    if pictures is not None:
        for name, page in (("donor", donor), ("dashboard", her)):
            await page.screenshot(path=pictures / f"compose-{name}.png")
