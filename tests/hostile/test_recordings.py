"""Malicious recordings: whatever a file declares, decoding takes little memory and ends with an AudioError."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from benchmarks.fuzz import encode_av, fuzz, make_case, make_corpus
from benchmarks.report import read_memory_mb
from ser_model.audio import AudioError, NotAudio, TooLong, load_audio
from ser_model.decode import exceeds_packet_limit

RATE_HZ = 48_000
MAX_GROWTH_MB = 150  # what decoding a minute at 384 kHz takes


def growth_mb(data: bytes, error: type[AudioError]) -> int:
    """Return by how much refusing a file raises the peak memory of this process."""
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak (man 5 proc)
    before_mb = read_memory_mb()
    with pytest.raises(error):
        load_audio(data)
    return read_memory_mb() - before_mb


def make_m4a(fragments: bool = False) -> bytearray:
    tone = 0.3 * np.sin(np.arange(2 * RATE_HZ) / 40).astype(np.float32)
    options = {"movflags": "frag_keyframe+empty_moov"} if fragments else {}
    return bytearray(encode_av(tone, "mp4", "aac", RATE_HZ, **options))


def patch(data: bytearray, box: bytes, distance: int, *numbers: int) -> None:
    place = data.find(box) + len(box) + distance
    struct.pack_into(f">{len(numbers)}I", data, place, *numbers)


def test_an_mp4_that_declares_millions_of_packets_takes_no_memory_for_them() -> None:
    table = make_m4a()
    patch(table, b"stsz", 4, 1, 80_000_000)
    patch(table, b"stts", 8, 80_000_000, 1024)
    patch(table, b"stsc", 12, 80_000_000)
    run = make_m4a(fragments=True)
    patch(run, b"trun", 0, 1, 80_000_000)
    assert growth_mb(bytes(table), NotAudio) < MAX_GROWTH_MB
    assert growth_mb(bytes(run), NotAudio) < MAX_GROWTH_MB


def test_pcm_in_a_mov_is_bound_by_its_chunks_not_by_its_samples() -> None:
    intact = bytearray(encode_av(np.zeros(58 * 96_000, np.float32), "mov", "pcm_s16le", 96_000))
    assert load_audio(bytes(intact)).size == 58 * 16_000  # has 5.6 million packets of one sample
    patch(intact, b"stsc", 12, 2**31)  # samples in a chunk
    assert growth_mb(bytes(intact), NotAudio) < MAX_GROWTH_MB


@pytest.mark.parametrize("media", [b"trun" + b"\xff" * 40, b"stsz" + b"\xff" * 40])
def test_the_media_of_an_mp4_may_hold_any_bytes(media: bytes) -> None:
    intact = bytes(make_m4a())
    mdat = struct.pack(">I4s", 8 + len(media), b"mdat") + media
    assert not exceeds_packet_limit(intact)
    assert not exceeds_packet_limit(intact + mdat)
    assert exceeds_packet_limit(intact + mdat.replace(b"mdat", b"free"))
    assert exceeds_packet_limit(intact + struct.pack(">I4s", 12, b"moov") + b"cmov")


@pytest.mark.parametrize(("form", "subtype"), [("OGG", "OPUS"), ("FLAC", "PCM_16")])
def test_long_silence_in_a_small_file_stops_at_the_limit(form: str, subtype: str) -> None:
    file = io.BytesIO()
    with sf.SoundFile(file, "w", 8_000, 1, format=form, subtype=subtype) as out:
        for _ in range(4 if form == "OGG" else 60):
            out.write(np.zeros(60 * 8_000, np.float32))
    assert len(file.getvalue()) < 200_000
    assert growth_mb(file.getvalue(), TooLong) < MAX_GROWTH_MB


@pytest.mark.parametrize(("rate_hz", "channels"), [(0xFFFF_FFFF, 1), (0, 1), (16_000, 1024), (16_000, 65_535)])
def test_absurd_rates_and_channels_are_refused_before_they_are_read(rate_hz: int, channels: int) -> None:
    sound = bytes(100_000)
    form = struct.pack("<HHIIHH", 1, channels, rate_hz, 0, (2 * channels) & 0xFFFF, 16)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(sound)) + sound
    assert growth_mb(b"RIFF" + struct.pack("<I", len(body)) + body, AudioError) < MAX_GROWTH_MB


@pytest.mark.slow
def test_more_channels_than_pyav_can_hand_over_are_refused() -> None:
    """PyAV crashes on so many planar channels, as in case 48,843 of the fuzzer."""
    with pytest.raises(NotAudio, match="51 channels"):
        load_audio(make_case(48_843, make_corpus())[1])


@pytest.mark.slow
def test_two_hundred_damaged_recordings_end_with_an_answer_or_an_audio_error() -> None:
    report = fuzz(first=0, cases=200)
    assert report["findings"] == []
    assert report["cases"] == sum(report["outcomes"].values()) == 200
    assert len(report["outcomes"]) > 3
    assert report["peak_memory_mb"] < 1_000


@pytest.mark.slow
@pytest.mark.parametrize(("body", "code", "hangs"), [("os.abort()", -6, False), ("time.sleep(60)", 1, True)])
def test_the_fuzzer_notices_a_crash_and_a_hang(project: Path, body: str, code: int, hangs: bool) -> None:
    program = (
        f"import os, time; from benchmarks import fuzz\n"
        f"class Recognizer:\n    def recognize(self, data): {body}\n"
        f"fuzz.run_case({{'number': 5}}, b'', Recognizer(), 1.0)"
    )
    command = [sys.executable, "-c", program]
    child = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=60, check=False)
    assert child.returncode == code
    assert json.loads(child.stdout)["number"] == 5
    assert ("Timeout (" in child.stderr) == hangs
