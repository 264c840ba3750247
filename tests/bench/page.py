"""What the donation page weighs on its way to a browser."""

import re
from dataclasses import dataclass

import httpx

ACCEPT = {"Accept-Encoding": "gzip"}


@dataclass(frozen=True)
class PageWeight:
    """Bytes of the bodies, as transferred."""

    html: int
    css: int


async def weigh_page(donate_url: str) -> PageWeight:
    """The page and the style sheets it links."""
    async with httpx.AsyncClient(headers=ACCEPT, trust_env=False) as http:
        html, text = await _fetch(http, donate_url)
        css = 0
        for link in re.findall(r'<link rel="stylesheet" href="([^"]+)"', text):
            css += (await _fetch(http, str(httpx.URL(donate_url).join(link))))[0]
    return PageWeight(html, css)


async def _fetch(http: httpx.AsyncClient, url: str) -> tuple[int, str]:
    async with http.stream("GET", url) as answer:
        answer.raise_for_status()
        await answer.aread()
        return answer.num_bytes_downloaded, answer.text
