"""The key of access tokens: made once, whoever asks first, and for its owner alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from rota.errors import BadHome
from rota.wiring.web_files import KeyFile


def test_many_who_ask_at_once_for_the_first_time_get_one_key(tmp_path):
    file = KeyFile(str(tmp_path))
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(lambda _: file.key(), range(200)))
    assert 1 == len(found)
    assert found == {KeyFile(str(tmp_path)).key()}
    assert ["web.key"] == [path.name for path in tmp_path.iterdir()]
    assert 0 == (tmp_path / "web.key").stat().st_mode & 0o177


def test_a_file_that_is_no_key_is_told_and_not_used(tmp_path):
    (tmp_path / "web.key").write_text("00")
    with pytest.raises(BadHome, match="remove it, and a new one is made"):
        KeyFile(str(tmp_path)).key()
