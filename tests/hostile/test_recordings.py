"""Recordings made to harm: whatever a file promises, decoding stays small and quick and ends with a named error."""

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

from benchmarks.fuzz import fuzz
from benchmarks.mutations import encode_av, make_case, make_corpus
from benchmarks.report import read_peak_mb
from ser_model.audio import AudioError, NotAudio, TooLong, load_audio
from ser_model.mp4 import promises_too_much

RATE_HZ = 48_000
LITTLE_MB = 150  # what decoding a minute at 384 kHz may take


def growth_mb(data: bytes, error: type[AudioError]) -> int:
    """Refuse a file and return by how much that raised the peak of this process's memory."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak falls to what is held now (man 5 proc)
    before_mb = read_peak_mb()
    with pytest.raises(error):
        load_audio(data)
    return read_peak_mb() - before_mb


def make_m4a(fragments: bool = False) -> bytearray:
    tone = 0.3 * np.sin(np.arange(2 * RATE_HZ) / 40).astype(np.float32)
    options = {"movflags": "frag_keyframe+empty_moov"} if fragments else {}
    return bytearray(encode_av(tone, "mp4", "aac", RATE_HZ, **options))


def put(data: bytearray, box: bytes, distance: int, *numbers: int) -> None:
    place = data.find(box) + len(box) + distance
    struct.pack_into(f">{len(numbers)}I", data, place, *numbers)


def test_an_mp4_that_promises_millions_of_packets_takes_no_memory_for_them() -> None:
    table = make_m4a()
    put(table, b"stsz", 4, 1, 80_000_000)
    put(table, b"stts", 8, 80_000_000, 1024)
    put(table, b"stsc", 12, 80_000_000)
    run = make_m4a(fragments=True)
    put(run, b"trun", 0, 1, 80_000_000)
    assert growth_mb(bytes(table), NotAudio) < LITTLE_MB
    assert growth_mb(bytes(run), NotAudio) < LITTLE_MB


@pytest.mark.parametrize("sound", [b"trun" + b"\xff" * 40, b"stsz" + b"\xff" * 40])
def test_words_inside_the_sound_of_an_mp4_are_no_promise(sound: bytes) -> None:
    whole = bytes(make_m4a())
    mdat = struct.pack(">I4s", 8 + len(sound), b"mdat") + sound
    assert not promises_too_much(whole)
    assert not promises_too_much(whole + mdat)
    assert promises_too_much(whole + mdat.replace(b"mdat", b"free"))
    assert promises_too_much(whole + struct.pack(">I4s", 12, b"moov") + b"cmov")


@pytest.mark.parametrize(("form", "subtype"), [("OGG", "OPUS"), ("FLAC", "PCM_16")])
def test_long_silence_in_a_small_file_stops_at_the_limit(form: str, subtype: str) -> None:
    file = io.BytesIO()
    with sf.SoundFile(file, "w", 8_000, 1, format=form, subtype=subtype) as out:
        for _ in range(4 if form == "OGG" else 60):
            out.write(np.zeros(60 * 8_000, np.float32))
    assert len(file.getvalue()) < 200_000
    assert growth_mb(file.getvalue(), TooLong) < LITTLE_MB


@pytest.mark.parametrize(("rate_hz", "channels"), [(0xFFFF_FFFF, 1), (0, 1), (16_000, 1024), (16_000, 65_535)])
def test_absurd_rates_and_channels_are_refused_before_they_are_read(rate_hz: int, channels: int) -> None:
    sound = bytes(100_000)
    form = struct.pack("<HHIIHH", 1, channels, rate_hz, 0, (2 * channels) & 0xFFFF, 16)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(sound)) + sound
    assert growth_mb(b"RIFF" + struct.pack("<I", len(body)) + body, AudioError) < LITTLE_MB


def test_a_case_of_the_fuzzer_can_be_made_again() -> None:
    corpus = make_corpus()
    assert len({make_case(number, corpus)[1] for number in range(50)}) > 40
    assert make_case(7, corpus) == make_case(7, corpus)


def test_what_the_fuzzer_found_has_a_name_now() -> None:
    """Case 9898: an MP3 whose header says that nobody knows where it ends."""
    container, data = make_case(9_898, make_corpus())
    assert container == "mp3"
    with pytest.raises(NotAudio):
        load_audio(data)


@pytest.mark.slow
def test_two_hundred_spoiled_recordings_end_with_an_answer_or_a_named_error() -> None:
    report = fuzz(first=0, cases=200)
    assert report["findings"] == []
    assert report["cases"] == sum(report["outcomes"].values()) == 200
    assert len(report["outcomes"]) > 3
    assert report["slowest"]["ms"] < 5_000
    assert report["peak_memory_mb"] < 1_000


@pytest.mark.slow
def test_a_decoder_that_crashes_or_hangs_would_be_seen(tmp_path: Path) -> None:
    code = (
        "import sys, os, time; from benchmarks import fuzz; fuzz.HANG_S = 1\n"
        "class Recognizer:\n"
        "    def recognize(self, data): os.abort() if data == b'crash' else time.sleep(60)\n"
        "fuzz.make_case = lambda number, corpus: ('wav', b'crash' if number == 1 else b'hang')\n"
        "fuzz._run_case(int(sys.argv[1]), {}, Recognizer(), 0)\n"
    )
    for number, code_of_end in ((1, -6), (2, 1)):
        command = [sys.executable, "-c", code, str(number)]
        child = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert child.returncode == code_of_end
        assert json.loads(child.stdout)["number"] == number
        assert ("Timeout (" in child.stderr) == (number == 2)


def test_the_published_run_found_nothing(project: Path) -> None:
    path = project / "results/fuzz.json"
    if not path.is_file():
        pytest.skip("the full run has not been made")
    report = json.loads(path.read_text())
    assert report["cases"] == 20_000
    assert report["findings"] == []
    assert report["slowest"]["ms"] < 5_000
    assert report["peak_memory_mb"] < 1_000
