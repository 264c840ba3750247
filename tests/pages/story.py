"""What the cast says and gives: a streamer's evening, or a world where every text is an attack."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random


@dataclass(frozen=True)
class Gift:
    name: str | None
    message: str
    roubles: int = 300
    ago: timedelta = timedelta()


@dataclass(frozen=True)
class Wish:
    """A goal: what for, how much, and what lay in it before."""

    title: str
    description: str
    roubles: int
    start_roubles: int = 0


@dataclass(frozen=True)
class Other:
    """Somebody else with a page of his own."""

    slug: str
    name: str
    about: str


@dataclass(frozen=True)
class Story:
    name: str
    about: str
    thanks: str
    wishes: tuple[Wish, ...]
    """The first is reached at once, the second is collected for."""
    gifts: tuple[Gift, ...]
    """The oldest first; the last one plays, those before it wait for it."""
    twice: Gift
    """Paid a second time by mistake."""
    different: Gift
    """Another sum came than was chosen."""
    disputed: Gift
    held: Gift
    unpaid: tuple[Gift, Gift, Gift]
    """Opened at the bank, not opened yet, declined."""
    elsewhere: Gift
    source: str
    person: str
    postal_address: str
    purpose: str
    foreign_agent_label: str
    button: str
    application: str
    blocked: str
    block_note: str
    moderators: tuple[str, ...]
    """Their nicks."""
    others: tuple[Other, ...] = ()
    past: tuple[Gift, ...] = ()
    """What came before this evening, the oldest first."""


def _minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


EVENING = Story(
    name="Лиса Аня",
    about="Прохожу сложные игры с первого раза. Почти. Вторник, четверг и выходные, с семи вечера.",
    thanks="Спасибо! Прочитаю сообщение в эфире и помашу лапой.",
    wishes=(
        Wish("Второй монитор", "Чтобы чат больше не закрывал босса.", 25_000, 25_000),
        Wish("Новый микрофон", "Старый хрипит с прошлой зимы. Скоро услышите разницу.", 45_000, 12_000),
        Wish("Поездка на фестиваль", "Билеты, дорога и неделя стримов оттуда.", 60_000),
        Wish("Марафон на 24 часа", "Без сна, но с вами.", 30_000),
    ),
    gifts=(
        Gift("Артём", "А что за песня играла в самом начале?", 100, _minutes(142)),
        Gift("Ольга", "Вяжу под ваши стримы. Пошёл второй шарф.", 200, _minutes(118)),
        Gift(
            "Саня_74",
            "Привет из Челябинска! Смотрю третий час вместо курсовой. Курсовая передаёт привет.",
            500,
            _minutes(96),
        ),
        Gift(None, "", 5_000, _minutes(83)),
        Gift("kotofey", "Ставлю на победу с пятой попытки", 777, _minutes(64)),
        Gift("Мария Ивановна", "Анечка, сделай перерыв и покушай. Бабушка.", 1_000, _minutes(41)),
        Gift("ПельменьВСметане", "За водопадом сундук, направо от моста", 150, _minutes(23)),
        Gift("Тимур", "На новый микрофон! Этот своё уже отслужил.", 2_500, _minutes(12)),
        Gift("Лена и Витя", "Смотрим всей семьёй, кот тоже", 400, _minutes(2)),
        Gift("Вера", "С днём рождения канала!", 300, _minutes(1)),
        Gift("Кузьма", "Привет из Омска! Босс тебя боится.", 300),
    ),
    twice=Gift("Дмитрий", "Страница долго думала, я нажал ещё раз", 300, _minutes(52)),
    different=Gift("Полина", "За красивый закат в третьей главе", 300, _minutes(75)),
    disputed=Gift("Игорь", "Удачи в финале", 300, timedelta(days=2, hours=1)),
    held=Gift("мимокрокодил", "Заходите ко мне на streamlive.ru, у меня интереснее", 100, _minutes(3)),
    unpaid=(
        Gift("Никита", "Хватит прятаться в кустах, выходи на бой!", 500),
        Gift("Рита", "Голос сегодня огонь", 250, _minutes(1)),
        Gift("Глеб", "На печеньки", 200, _minutes(34)),
    ),
    elsewhere=Gift("Дядя Лёша", "На день рождения", 1_500, timedelta(hours=27)),
    source="Перевод на карту",
    person="Морозова Анна Сергеевна",
    postal_address="644099, Омск, а/я 17",
    purpose="на развитие канала: оборудование, игры и оформление",
    foreign_agent_label="",
    button="Пропустить алерт",
    application="Подсчёт донатов",
    blocked="злой_тролль",
    block_note="Оскорблял гостей стрима",
    moderators=("Оксана", "Лёва", "Гоша", "Юля", "Сева", "Костя"),
    others=(
        Other("nochnoy-dozor", "Ночной Дозор", "Кооперативы и хорроры после полуночи. Свет не выключаем."),
        Other("marina-risuet", "Марина рисует", "Акварель, линогравюра и разговоры. Каждую среду и субботу."),
        Other("shahmaty", "Шахматы с Павлом", "Блиц с подписчиками и разбор партий по воскресеньям."),
        Other("retro-komnata", "Ретро-комната", "Картриджи, паяльник и игры старше стримера."),
    ),
)


def attack(texts: Sequence[str]) -> Story:
    """Everything that somebody may write is one of these texts."""
    return Story(
        name=texts[0],
        about=texts[1],
        thanks=texts[0],
        wishes=(
            Wish(texts[0], texts[0], 50_000, 50_000),
            Wish(texts[1], texts[1], 50_000, 1_200),
            *(Wish(text, text, 50_000) for text in texts),
        ),
        gifts=tuple(Gift(text, texts[number - 1], 100 * (number + 1)) for number, text in enumerate(texts)),
        twice=Gift(texts[0], texts[-1]),
        different=Gift(texts[1], texts[0]),
        disputed=Gift(texts[2], texts[1]),
        held=Gift(texts[0], f"{texts[1][:200]} сука"),
        unpaid=(Gift(texts[0], texts[2]), Gift(texts[1], texts[2]), Gift("Аня", texts[0])),
        elsewhere=Gift(texts[0], texts[1], 1_500),
        source=texts[0],
        person=texts[0],
        postal_address=texts[2],
        purpose=texts[1],
        foreign_agent_label=texts[1],
        button=texts[0],
        application=texts[0],
        blocked=texts[0],
        block_note=texts[0],
        moderators=tuple(text[:60] for text in texts[:6]),
    )


_STREAM_DAYS = (1, 3, 5, 6)
_NAMES = (
    *("Кузьма", "Саня_74", "Ольга", "kotofey", "Тимур", "Мария Ивановна", "Лена и Витя", "Вера", "Артём", None),
    *("Дмитрий", "Рита", "Глеб", "ПельменьВСметане", "Полина", "Никита", "Юля", "Старый Геймер", "Ваня из Твери"),
)
_WORDS = (
    *("Спасибо за стрим!", "", "Хорошего вечера", "На кофе", "Ты лучшая", "За победу", "Привет из Казани"),
    *("Ещё одну катку!", "Передай привет Лизе, у неё экзамен", "Первый раз здесь, остаюсь", "", "На корм лисе"),
)
_SUMS = (50, 100, 100, 100, 150, 200, 200, 300, 300, 300, 500, 500, 777, 1_000, 2_000, 3_000)


def weeks_before(weekday: int, hour: int, days: int = 75) -> Iterator[Gift]:
    """Streams of the weeks before, the oldest first; `weekday` (Monday is 0) and `hour` are the streamer's now. At
    each run the same."""
    chance = Random(11)
    for day in range(days, 0, -1):
        if (weekday - day) % 7 not in _STREAM_DAYS:
            continue
        grows = 4 + (days - day) // 12
        starts = timedelta(days=day) + timedelta(hours=hour - 19)
        moments = sorted(chance.triangular(0, 240, 90) for _number in range(chance.randint(grows, grows + 6)))
        for minute in moments:
            yield Gift(
                chance.choice(_NAMES), chance.choice(_WORDS), chance.choice(_SUMS), starts - _minutes(int(minute))
            )
