"""What donors write is judged: what is meant is found however it is written, and ordinary words are left alone."""

import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.moderation import Act, Action, Lexicon, Mode, Part, Rule, Settings, judge
from domain.moderation.folding import fold, fold_name, spelled
from domain.moderation.judging import exception_for

DATA = Path(__file__).parent / "data"
HOLD = Settings(acts={Rule.WORDS: Act.HOLD, Rule.OWN_WORDS: Act.HOLD, Rule.LINKS: Act.HOLD})
NOTHING_OWN = Lexicon()


def lines(name: str) -> list[str]:
    found = [line for line in (DATA / name).read_text().splitlines() if line and not line.startswith("#")]
    assert len(found) >= 150
    return found


CAUGHT = lines("moderation_caught.txt")
FINE = lines("moderation_fine.txt")


def rules_of(text: str, settings: Settings = HOLD, words: Lexicon = NOTHING_OWN) -> list[Rule]:
    return [match.rule for match in judge(None, text, settings, words).matches]


@pytest.mark.parametrize("line", CAUGHT)
def test_a_bad_word_is_found_where_it_stands(line: str) -> None:
    text, _, word = line.partition("\t")
    verdict = judge(None, text, HOLD, NOTHING_OWN)
    found = [match.word for match in verdict.matches if match.rule is Rule.WORDS]
    assert found == [word or text]
    assert verdict.action is Action.HOLD


@pytest.mark.parametrize("text", FINE)
def test_an_ordinary_word_is_left_alone(text: str) -> None:
    verdict = judge(text, text, Settings(), NOTHING_OWN)
    assert (verdict.action, verdict.matches) == (Action.SHOW, ())
    assert verdict.public_message == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("иди нахуй отсюда", "иди *** отсюда"),
        ("с у к а, привет", "***, привет"),
        ("заходи на site.ru/abc?d, сейчас", "заходи на ***, сейчас"),
        ("смотри канал точка ком", "смотри ***"),
        ("ДОБРЫЙ ДЕНЬ ВСЕМ", "Добрый день всем"),
        ("ааааааааа", "ааа"),
        ("лол лол лол лол лол лол го", "лол лол лол го"),
        ("😀🎉" * 8, "😀🎉" * 6 + "…"),
    ],
)
def test_what_is_put_right(text: str, shown: str) -> None:
    verdict = judge("Аня", text, Settings(), NOTHING_OWN)
    assert verdict.action is Action.MASK
    assert (verdict.public_name, verdict.public_message) == ("Аня", shown)


@pytest.mark.parametrize(
    "text",
    [
        "http://evil.example", "https://a.b/c", "hxxp://site", "www.kek.ru", "kek.ru", "кремль.рф", "t.me/abc",
        "vk.com/club", "discord.gg/xyz", "site[.]com", "site (dot) com", "site точка ру", "site . com", "10.0.0.1:8080",
        "тг @abcdef", "ｋｅｋ.ｒｕ", "ke\u200bk.ru", "сайт.онлайн",
    ],
)  # fmt: skip
def test_links(text: str) -> None:
    assert rules_of(f"смотри {text} там") == [Rule.LINKS]


@pytest.mark.parametrize(
    "text",
    ["привет.как дела", "т.е. так", "1.5 и 2.0", "рф. рф сила", "ну.да", "v1.2.3.4.5", "конец. Me too", "a@b", "точка"],
)
def test_no_links(text: str) -> None:
    assert Rule.LINKS not in rules_of(text)


def test_mentions_only_when_wished() -> None:
    assert rules_of("привет @nickname") == []
    assert rules_of("привет @nickname", Settings(acts={Rule.MENTIONS: Act.HOLD})) == [Rule.MENTIONS]


def test_zalgo_keeps_the_letters() -> None:
    verdict = judge(None, "п̵̡̛р̷̧̛и̸̨̛в̷̧̕е̶̛̕т", Settings(), NOTHING_OWN)
    assert verdict.public_message == "привет"
    assert {match.rule for match in verdict.matches} == {Rule.ZALGO}


def test_length_is_cut_when_wished() -> None:
    settings = Settings(acts={Rule.LENGTH: Act.MASK}, long_over=20)
    verdict = judge(None, "Слово за слово, и ещё много слов", settings, NOTHING_OWN)
    assert verdict.public_message == "Слово за слово, и ещ…"


def test_own_words_and_exceptions() -> None:
    words = Lexicon(["лох*", "белый флаг", "а*б", "Ёж"], ["лохмат*", "сука", "youtube.com"])
    for text in ("лохи", "Л о х", "белый   флаг", "axxб", "ЕЖ", "лoxu"):
        assert rules_of(text, HOLD, words) == [Rule.OWN_WORDS], text
    for text in ("лохматый", "сука", "белый снег флаг", "ежи", "youtube.com/watch", "https://youtube.com/x"):
        assert rules_of(text, HOLD, words) == [], text
    assert rules_of("суки youtube.com.ru", HOLD, words) == [Rule.WORDS, Rule.LINKS]


@pytest.mark.parametrize("text", ["сука", "с.у.к.а", "xyй", "site.ru/abc", "https://site.ru/x?y"])
def test_an_exception_lets_its_match_through(text: str) -> None:
    (match,) = judge(None, text, HOLD, NOTHING_OWN).matches
    pattern = exception_for(match)
    assert pattern is not None
    assert judge(None, text, HOLD, Lexicon(exceptions=[pattern])).action is Action.SHOW


def test_a_bad_name_is_anonymous() -> None:
    verdict = judge("сука", "Привет", Settings(), NOTHING_OWN)
    assert (verdict.public_name, verdict.public_message) == (None, "Привет")
    assert judge("сука Аня", "", Settings(), NOTHING_OWN).public_name == "*** Аня"


def test_a_name_of_emoji_is_cut_and_not_hidden() -> None:
    assert judge("🦊" * 10, "Привет", Settings(), NOTHING_OWN).public_name == "🦊🦊🦊🦊…"


def test_a_new_line_hides_no_word() -> None:
    assert rules_of("ху\nй") == [Rule.WORDS]


def test_rejecting_shows_no_message() -> None:
    settings = Settings(acts={Rule.WORDS: Act.REJECT})
    verdict = judge("Аня", "сука", settings, NOTHING_OWN)
    assert (verdict.action, verdict.public_name, verdict.public_message) == (Action.REJECT, "Аня", "")
    verdict = judge("сука", "Привет", settings, NOTHING_OWN)
    assert (verdict.action, verdict.public_name, verdict.public_message) == (Action.REJECT, None, "")


def test_the_heaviest_act_decides() -> None:
    settings = Settings(acts={Rule.WORDS: Act.MASK, Rule.LINKS: Act.HOLD, Rule.CAPITALS: Act.REJECT})
    verdict = judge("Аня", "сука, смотри kek.ru", settings, NOTHING_OWN)
    assert (verdict.action, verdict.public_name, verdict.public_message) == (Action.HOLD, "Аня", "")
    # Let through, what was held is shown, and what is masked stays masked.
    assert verdict.approved_message == "***, смотри kek.ru"
    assert judge("Аня", "СУКА, СМОТРИ KEK.RU", settings, NOTHING_OWN).action is Action.REJECT


def test_a_rejected_message_brings_no_name_past_whoever_approves() -> None:
    settings = Settings(mode=Mode.APPROVE, acts={Rule.LINKS: Act.REJECT})
    verdict = judge("Плохое имя", "см. example.com", settings, NOTHING_OWN)
    assert verdict.action is Action.HOLD
    assert (verdict.public_name, verdict.public_message) == (None, "")


def test_approval_first_lets_nothing_out() -> None:
    verdict = judge("Аня", "Привет", Settings(mode=Mode.APPROVE), NOTHING_OWN)
    assert (verdict.action, verdict.public_name, verdict.public_message) == (Action.HOLD, None, "")
    assert (verdict.approved_name, verdict.approved_message, verdict.quiet_name) == ("Аня", "Привет", "Аня")


def test_turned_off_only_what_misleads_is_removed() -> None:
    verdict = judge("А\u202eня", "сука\u2066 kek.ru", Settings(mode=Mode.OFF), NOTHING_OWN)
    assert (verdict.action, verdict.public_name, verdict.public_message) == (Action.SHOW, "Аня", "сука kek.ru")


def test_names_that_look_alike_are_the_same() -> None:
    spellings = ("Kotik", "КОТИК", "k0tik", "K.o.t.i.k", "ｋｏｔｉｋ", "ko\u200btik")
    assert {fold_name(name) for name in ("Kotik", *spellings[2:])} == {fold_name("Kotik")}
    assert fold_name("Хам") == fold_name("Xam")
    assert fold_name("Аня") != fold_name("Таня")


HOSTILE = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from("аеоухпизд сукабляxyk.-_*@!$0134 \u200b\u200d\ufe0f\u0301\u202e🇸🇺🅰😀😀\n://www.ruпф"),
    ),
    max_size=200,
)


@given(HOSTILE)
@example("ﬀ㎏İß" * 5)
def test_folding_twice_is_folding_once(text: str) -> None:
    once = spelled(fold(text))
    assert spelled(fold(once)) == once


@given(HOSTILE, HOSTILE)
def test_spans_lie_in_the_text_and_nothing_else_leaves(name: str, text: str) -> None:
    everything = Settings(acts=dict.fromkeys(Rule, Act.MASK), long_over=50, emoji_over=2)
    verdict = judge(name, text, everything, Lexicon(["а*б*", "*у*"]))
    for match in verdict.matches:
        whole = name if match.part is Part.NAME else text
        assert 0 <= match.start < match.end <= len(whole)
        assert match.word == whole[match.start : match.end]
    assert len(verdict.public_message) <= 1000
    assert verdict.public_name is None or 1 <= len(verdict.public_name) <= 60
    for shown in (verdict.public_name or "", verdict.public_message):
        assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


@pytest.mark.parametrize(
    "piece",
    [
        "х", "ху ", "a.b.", "х у ", "*", "хххууу", "е б а ", "@4*", "б.л.я.", "www.", "-", "@a", "1.", "лол ",
        "a\u0301", "😀\u200d", "a точка ", "🇷", "http://", "п\u0336", "ааб", "xyxy.", "$!|", "сук.", "ﷺ",
    ],
)  # fmt: skip
def test_no_text_takes_long(piece: str) -> None:
    """A thousand hostile characters, and a list full of stars: the time grows with the text, so this is far off."""
    words = Lexicon(["*а*б*в*", "а*а*а*а*а", "*" + "xy" * 20, *(f"слово{number}*" for number in range(200))])
    judge(None, "x", Settings(), words)
    text = (piece * 1000)[:1000]
    started = time.process_time()
    judge(text[:60], text, Settings(acts=dict.fromkeys(Rule, Act.MASK)), words)
    assert time.process_time() - started < 2.0
