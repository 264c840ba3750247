"""Makes the default alert's sound: `python -m realtime.chime` writes `static/overlay/chime.wav`.

Two notes of ours, a struck fourth upwards, after 200 ms of silence (OBS swallows the first moments of a sound).
The loudness is measured as ITU-R BS.1770-4 says and set to −16 LUFS. A file, unlike a synthesiser in the page, is what
a streamer's own sound will be, and plays the same everywhere.
"""

import math
import struct
import wave
from collections.abc import Sequence
from io import BytesIO

from infra.assets import STATIC_DIR

RATE = 48_000
SILENCE_SECONDS = 0.2
LOUDNESS_LUFS = -16.0
SECONDS = 1.2
# When it is struck (seconds after the silence), its pitch (hertz), its strength.
NOTES = ((0.0, 783.99, 0.9), (0.16, 1046.50, 1.0))
# A bell's partials: multiple of the pitch, strength, seconds until it has faded to a third.
PARTIALS = ((1.0, 1.0, 0.34), (2.0, 0.42, 0.20), (3.0, 0.16, 0.12), (4.16, 0.07, 0.07))
ATTACK_SECONDS = 0.004
FADE_SECONDS = 0.15


def chime() -> bytes:
    """The sound as a WAV file: mono, 16 bits, 48 kHz."""
    samples = [0.0] * int(SILENCE_SECONDS * RATE) + _strike()
    gain = 10 ** ((LOUDNESS_LUFS - loudness(samples)) / 20)
    frames = [round(max(-1.0, min(1.0, sample * gain)) * 32_767) for sample in samples]
    file = BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes(struct.pack(f"<{len(frames)}h", *frames))
    return file.getvalue()


def _strike() -> list[float]:
    count = int(SECONDS * RATE)
    samples = [0.0] * count
    for struck_at, pitch, strength in NOTES:
        first = int(struck_at * RATE)
        for multiple, share, fade in PARTIALS:
            step = 2 * math.pi * pitch * multiple / RATE
            for index in range(first, count):
                age = (index - first) / RATE
                envelope = min(age / ATTACK_SECONDS, 1.0) * math.exp(-age / fade)
                samples[index] += strength * share * envelope * math.sin(step * (index - first))
    fade_from = count - int(FADE_SECONDS * RATE)
    for index in range(fade_from, count):
        samples[index] *= (count - index) / (count - fade_from)
    return samples


def loudness(samples: Sequence[float]) -> float:
    """Integrated loudness of one channel at 48 kHz, in LUFS (BS.1770-4: K-weighting, 400 ms blocks, two gates)."""
    weighted = _filter(
        samples, (1.53512485958697, -2.69169618940638, 1.19839281085285), (-1.69065929318241, 0.73248077421585)
    )
    weighted = _filter(weighted, (1.0, -2.0, 1.0), (-1.99004745483398, 0.99007225036621))
    block, hop = int(0.4 * RATE), int(0.1 * RATE)
    powers = [
        sum(sample * sample for sample in weighted[start : start + block]) / block
        for start in range(0, len(weighted) - block + 1, hop)
    ]
    loud = [power for power in powers if power > 0 and _lufs(power) > -70]
    relative = _lufs(sum(loud) / len(loud)) - 10
    gated = [power for power in loud if _lufs(power) > relative]
    return _lufs(sum(gated) / len(gated))


def _filter(samples: Sequence[float], b: tuple[float, float, float], a: tuple[float, float]) -> list[float]:
    x1 = x2 = y1 = y2 = 0.0
    filtered = []
    for x in samples:
        y = b[0] * x + b[1] * x1 + b[2] * x2 - a[0] * y1 - a[1] * y2
        x1, x2, y1, y2 = x, x1, y, y1
        filtered.append(y)
    return filtered


def _lufs(power: float) -> float:
    return -0.691 + 10 * math.log10(power)


if __name__ == "__main__":
    (STATIC_DIR / "overlay" / "chime.wav").write_bytes(chime())
