"""Which new passwords are refused: those a stranger tries first."""

from domain.errors import InvalidInputError

MIN_LENGTH = 8
MAX_LENGTH = 256

# What people choose most, Russian and English; the ones with digits behind them are folded away below.
_COMMON_WORDS = """
    password passw0rd qwerty qwertyuiop qwertyui qwerty123 qazwsxedc qazwsx 1q2w3e4r 1q2w3e4r5t 1qaz2wsx zaq12wsx
    asdfghjkl asdfghjk asdfasdf zxcvbnm zxcvbnma iloveyou iloveu sunshine princess dragon football baseball superman
    batman pokemon letmein welcome monkey master shadow michael jordan access trustno1 starwars computer internet
    whatever samsung admin administrator adminadmin root changeme default secret secretsecret test testtest guest
    login loginlogin user username hello helloworld abcdefgh abcdefg abcd1234 a1b2c3d4 aaaaaaaa minecraft
    counterstrike fortnite twitch youtube streamer streamcash stream donation donate vkontakte russia moscow пароль
    парольпароль йцукен йцукенг йцукенгш йцукенгшщз фывапролд фывапрол ячсмить ячсмитьб привет приветик любовь
    солнышко зайчик котенок котик марина наташа настя светлана екатерина александр максим дмитрий сергей андрей
    россия москва спартак зенит динамо стример стримкэш донат gfhjkm ghbdtn yfnfif vfrcbv cjkysirj ljcneg cnhbvth
    hjccbz vjcrdf
"""
_COMMON = frozenset(_COMMON_WORDS.split())
_ROWS = ("01234567890", "09876543210", "qwertyuiop", "йцукенгшщзхъ", "abcdefghijklmnop", "11223344556677889900")


def check_new_password(password: str, email: str = "") -> None:
    """Raises InvalidInputError("password", …): too_short, too_long, common, or like_email."""
    if len(password) < MIN_LENGTH:
        raise InvalidInputError("password", "too_short", limit=MIN_LENGTH)
    if len(password) > MAX_LENGTH:
        raise InvalidInputError("password", "too_long", limit=MAX_LENGTH)
    folded = password.casefold().replace("ё", "е")
    if _is_common(folded):
        raise InvalidInputError("password", "common")
    if email and _is_like(folded, email.casefold()):
        raise InvalidInputError("password", "like_email")


def _is_common(folded: str) -> bool:
    bare = folded.rstrip("0123456789!?.*-_ ")
    if folded in _COMMON or bare in _COMMON or len(set(folded)) <= 2:
        return True
    return any(folded in row for row in _ROWS) or _repeats(folded) or (not bare and _is_row_of_digits(folded))


def _repeats(folded: str) -> bool:
    """`qwerqwer`, `123123123`: one short piece several times."""
    return any(len(folded) % size == 0 and folded[:size] * (len(folded) // size) == folded for size in range(1, 5))


def _is_row_of_digits(folded: str) -> bool:
    """A date or a number of eight digits is guessed in an afternoon."""
    return folded.isdigit() and len(folded) <= MIN_LENGTH


def _is_like(folded: str, email: str) -> bool:
    name = email.partition("@")[0]
    bare = folded.rstrip("0123456789!?.*-_ ")
    return folded in (email, name) or (len(name) >= 4 and bare == name)
