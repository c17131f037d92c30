"""What Gradio's own routes raise becomes a sentence that is true."""

from __future__ import annotations

import asyncio
import errno
import types

import pytest

from ui import endpoints, texts

REQUEST = types.SimpleNamespace(method="POST", url=types.SimpleNamespace(path="/gradio_api/upload"))


@pytest.mark.parametrize(
    ("number", "status", "said"), [(errno.ENOSPC, 507, texts.NO_ROOM), (errno.EMFILE, 500, texts.IN_THE_LOG)]
)
def test_a_full_disk_and_other_failures_are_told_apart(
    number: int, status: int, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = asyncio.run(endpoints.refuse(REQUEST, OSError(number, "reason")))  # type: ignore[arg-type]
    assert (answer.status_code, said in bytes(answer.body).decode()) == (status, True)
    assert ("reason" in caplog.text) == (status == 500)
