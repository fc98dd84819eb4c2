"""What errors say: the word that was meant, also where there are very many."""

from __future__ import annotations

import pytest

from rota.errors import did_you_mean

MANY = [f"nightly-backup-{number:05}-of-{place}" for number in range(5_000) for place in ("rome", "oslo")]


@pytest.mark.parametrize(
    "word",
    [
        "nightly-bakcup-02345-of-oslo",
        "nigtly-backup-02345-of-oslo",
        "nightly-backup-02345-off-oslo",
        "nightly-backup-02345-of-olso",
    ],
)
def test_of_very_many_names_the_one_that_is_meant_is_found(word):
    assert "; did you mean 'nightly-backup-02345-of-oslo'?" == did_you_mean(word, MANY)


def test_what_is_like_nothing_is_given_no_hint():
    assert "" == did_you_mean("xyz", MANY)
