"""What an uploaded sound is, the bytes of it that are served, and a part of it as MP3. Runs in the child.

By FFmpeg's libraries (PyAV). The format is named, never guessed: some of FFmpeg's open other files and addresses.
"""

import io
from collections.abc import Iterator
from typing import Any, cast

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import InputContainer

from infra.media_verdict import Checked, MediaError

SECONDS_MAX = 600.0
SECONDS_MIN = 0.05
_FORMATS = {"audio/mpeg": "mp3", "audio/wav": "wav", "audio/ogg": "ogg"}
# What Chromium plays of these formats; OBS is one.
_CODECS = {
    "audio/mpeg": {"mp3", "mp3float"},
    "audio/wav": {"pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le"},
    "audio/ogg": {"vorbis", "opus", "libopus", "flac"},
}
_CHANNELS_MAX = 8
_RATES = (8_000, 192_000)
_BAD_PACKETS_MAX = 0.1
"""Of all: real files have one at an end; a file of something else has many."""
_MP3_RATE = 44_100
_MP3_BITS = 160_000


def check_sound(content_type: str, raw: bytes) -> Checked:
    """All of it is decoded, and what could be is put into a file of its own: without titles, covers, and whatever stood
    before or behind it. Raises MediaError, and whatever PyAV raises for what it cannot read."""
    packed = io.BytesIO()
    with (
        _opened(content_type, raw) as source,
        av.open(packed, "w", format=_FORMATS[content_type], container_options={"fflags": "+bitexact"}) as target,
    ):
        _check_codec(content_type, source)
        stream = target.add_stream_from_template(source.streams.audio[0])
        seconds = 0.0
        packets = bad_packets = 0
        for packet in source.demux(source.streams.audio[0]):
            packets += 1
            try:
                frames = packet.decode()
            except av.InvalidDataError:
                bad_packets += 1
                continue
            seconds += sum(frame.samples / frame.sample_rate for frame in frames)
            if seconds > SECONDS_MAX:
                raise MediaError("too_long")
            # The last one only empties the decoder.
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    if seconds < SECONDS_MIN or bad_packets > 1 + packets * _BAD_PACKETS_MAX:
        raise MediaError("not_readable")
    return Checked(packed.getvalue(), seconds=round(seconds, 3))


def cut_sound(content_type: str, raw: bytes, start: float, end: float | None) -> bytes:
    """From `start` to `end` (seconds; None: its end) as MP3. Raises MediaError("nothing") when nothing is there."""
    encoded = io.BytesIO()
    is_empty = True
    with _opened(content_type, raw) as source, av.open(encoded, "w", format="mp3") as target:
        stream: Any = target.add_stream("libmp3lame", rate=_MP3_RATE)
        stream.layout = "stereo"
        stream.bit_rate = _MP3_BITS
        resampler = AudioResampler(format="s16p", layout="stereo", rate=_MP3_RATE)
        for frame in _part(_resampled(source, resampler), start, end):
            is_empty = False
            target.mux(stream.encode(frame))
        if is_empty:
            raise MediaError("nothing")
        target.mux(stream.encode(None))
    return encoded.getvalue()


def _opened(content_type: str, raw: bytes) -> InputContainer:
    source = cast(InputContainer, av.open(io.BytesIO(raw), format=_FORMATS[content_type], metadata_errors="ignore"))
    if not source.streams.audio:
        raise MediaError("not_readable")
    source.streams.audio[0].codec_context.thread_type = "NONE"
    return source


def _check_codec(content_type: str, source: InputContainer) -> None:
    """Raises MediaError."""
    context = source.streams.audio[0].codec_context
    if not context.sample_rate or not context.layout.nb_channels:
        raise MediaError("not_readable")
    is_playable = (
        context.name in _CODECS[content_type]
        and context.layout.nb_channels <= _CHANNELS_MAX
        and _RATES[0] <= context.sample_rate <= _RATES[1]
    )
    if not is_playable:
        raise MediaError("not_playable")


def _resampled(source: InputContainer, resampler: AudioResampler) -> Iterator[AudioFrame]:
    for packet in source.demux(source.streams.audio[0]):
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            continue
        for frame in frames:
            frame.pts = None
            yield from resampler.resample(frame)
    yield from resampler.resample(None)


def _part(frames: Iterator[AudioFrame], start: float, end: float | None) -> Iterator[AudioFrame]:
    """To the sample. Frames are of two planes, 16 bits a sample."""
    first = round(start * _MP3_RATE)
    last = None if end is None else round(end * _MP3_RATE)
    at = 0
    for frame in frames:
        begins, at = at, at + frame.samples
        if last is not None and begins >= last:
            return
        skip = max(0, first - begins)
        count = (frame.samples if last is None else min(frame.samples, last - begins)) - skip
        if count <= 0:
            continue
        part = AudioFrame(format="s16p", layout="stereo", samples=count)
        part.sample_rate = _MP3_RATE
        for plane, own in zip(frame.planes, part.planes, strict=True):
            body = bytes(plane)[skip * 2 : (skip + count) * 2]
            own.update(body.ljust(own.buffer_size, b"\0"))
        yield part
