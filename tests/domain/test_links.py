"""Links lead to the web, over TLS, and say where."""

import pytest

from domain.errors import InvalidInputError
from domain.links import clean_link, link_title


@pytest.mark.parametrize(
    ("text", "link", "title"),
    [
        ("twitch.tv/anna", "https://twitch.tv/anna", "Twitch"),
        (" https://www.youtube.com/@anna?sub=1 ", "https://www.youtube.com/@anna?sub=1", "YouTube"),
        ("http://vk.com/anna", "https://vk.com/anna", "VK"),
        ("live.vkvideo.ru/anna", "https://live.vkvideo.ru/anna", "VK Видео"),
        ("HTTPS://T.ME/Anna", "https://t.me/Anna", "Telegram"),
        ("https://anna.example/о-мне", "https://anna.example/%D0%BE-%D0%BC%D0%BD%D0%B5", "anna.example"),
        ("https://www.пример.рф/", "https://www.xn--e1afmkfd.xn--p1ai/", "xn--e1afmkfd.xn--p1ai"),
        ('https://anna.example/"><b>', "https://anna.example/%22%3E%3Cb%3E", "anna.example"),
        ("eviltwitch.tv/anna", "https://eviltwitch.tv/anna", "eviltwitch.tv"),
        ("twitch.tv.evil.example", "https://twitch.tv.evil.example", "twitch.tv.evil.example"),
    ],
)
def test_an_address_as_people_paste_it(text: str, link: str, title: str) -> None:
    assert clean_link(text) == link
    assert clean_link(link) == link
    assert link_title(link) == title


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("javascript:alert(1)", "malformed"),
        ("javascript://twitch.tv/%0aalert(1)", "not_https"),
        ("data:text/html,<script>", "malformed"),
        ("ftp://twitch.tv/anna", "not_https"),
        ("http://anna.example", "not_https"),
        ("//twitch.tv", "malformed"),
        ("https://", "malformed"),
        ("https://twitch.tv@evil.example/", "malformed"),
        ("https://user:pass@twitch.tv/", "malformed"),
        ("https://twitch.tv:8080/", "malformed"),
        ("https://twitch.tv\\@evil.example", "malformed"),
        ("https://127.0.0.1/", "malformed"),
        ("https://[::1]/", "malformed"),
        ("https://localhost/", "malformed"),
        ("https://a b.example/", "malformed"),
        ("https://twitch.tv/\u202egnp.exe", "malformed"),
        ("https://" + "a" * 300 + ".example", "malformed"),
        ("https://twitch.tv/" + "a" * 300, "too_long"),
        ("anna", "malformed"),
        ("https://[", "malformed"),
        ("https://twitch.tv:99999999/", "malformed"),
    ],
)
def test_what_leads_elsewhere_is_refused(text: str, code: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        clean_link(text)
    assert (refused.value.field, refused.value.code) == ("links", code)
