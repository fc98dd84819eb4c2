"""In whatever order jobs write, attempts end, and tellers look or are killed: each byte is told once."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rota.control.facts import Began, Ended, Lines

from .listening import Listening
from .test_following import EngineSide

ACTS = st.lists(
    st.sampled_from(["stdout", "stderr", "stdout line", "stderr line", "next", "look", "kill"]), max_size=30
)


@given(acts=ACTS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_interleaving_of_writing_settling_looking_and_killing_loses_or_doubles_a_byte(tmp_path_factory, acts):
    folder = str(tmp_path_factory.mktemp("spool"))
    engine = EngineSide(folder)
    listening = Listening(engine, folder)
    engine.start()
    written, attempts = {"stdout": b"", "stderr": b""}, 1
    for number, act in enumerate(acts):
        stream, _, ending = act.partition(" ")
        if stream in written:
            content = b"%02d%s" % (number, b"\n" if ending else b" ")
            engine.write(stream, content)
            written[stream] += content
        elif act == "next":
            engine.settle(again=True)
            engine.start()
            attempts += 1
        elif act == "look":
            listening.look()
        elif act == "kill":
            listening.be_killed()
    engine.settle()
    listening.look()
    told = {
        stream: b"".join(
            b"".join(fact.lines) for fact in listening.facts if isinstance(fact, Lines) and fact.stream == stream
        )
        for stream in written
    }
    assert {stream: content.replace(b"\n", b"") for stream, content in written.items()} == told
    for kind in (Began, Ended):
        assert list(range(1, attempts + 1)) == [fact.attempt for fact in listening.facts if isinstance(fact, kind)]
    listening.close()
    engine.spool.close()
    engine.close()
