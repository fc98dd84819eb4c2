"""What a program says to rota and what it is told: words, arguments, decorators, names and results."""

from __future__ import annotations

import math
import threading
import warnings
from collections import OrderedDict, defaultdict, namedtuple
from datetime import UTC, date, datetime
from enum import Enum, IntEnum
from functools import wraps
from pathlib import Path

import pytest

import rota
from rota import BadJob, NoSuchJob, NoSuchRun, NotKept, Retry, RotaError, Scheduler, State
from rota.call import told
from rota.sdk.declared import DECLARED


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


Point = namedtuple("Point", "x y")


def double(number: int = 2) -> int:
    return 2 * number


def lines():
    yield 1


async def lines_later():
    yield 1


class Lines:
    def __call__(self):
        yield 1


class Shop:
    def sell(self) -> str:
        return "sold"


@pytest.fixture(autouse=True)
def _nothing_stays_declared():
    before = dict(DECLARED)
    yield
    DECLARED.clear()
    DECLARED.update(before)


# -- results and arguments --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("result", [{1, 2}, b"x", datetime(2027, 1, 1, tzinfo=UTC), math.nan, "x" * 300_000])
def test_a_result_that_could_not_be_kept_is_an_error_and_not_none(scheduler, result, apart):
    scheduler.add(lambda: result, "answer", apart=apart)
    handle = scheduler.trigger("answer")
    with pytest.raises(NotKept, match=r"of answer succeeded, but what it returned is not there: the result .*; return"):
        handle.result(30)
    assert State.SUCCEEDED == handle.state


def test_none_is_a_result_as_well(scheduler):
    scheduler.add(lambda: None, "nothing")
    assert scheduler.trigger("nothing").result(20) is None


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize(
    "given",
    [
        Point(1, 2),
        Colour.RED,
        Level.HIGH,
        (1, (2, 3)),
        OrderedDict(a=1),
        defaultdict(list, a=[1]),
        [{"a": Colour.RED}],
        {1: "one"},
        math.inf,
        "\udc80",
        2**70,
        ["plain", 1, 1.5, True, None, {"a": [2]}],
    ],
    ids=repr,
)
def test_an_argument_arrives_as_what_it_was(scheduler, given, apart):
    def takes(by_place, *, by_name):
        return [type(by_place) is type(given), by_place == given, by_name == given, repr(by_place) == repr(given)]

    scheduler.add(takes, args=[given], kwargs={"by_name": given}, apart=apart)
    assert [True] * 4 == scheduler.trigger("takes").result(30)


# -- words ------------------------------------------------------------------------------------------------------------

_SPAN = "give a duration such as '1h30m', a number of seconds, or a timedelta"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"retries": 1.5}, "retries is 1.5; give a whole number, or a rota.Retry"),
        ({"umask": "99"}, "umask is '99'; give a number from 0 to 0o777, such as 0o027"),
        ({"umask": 0o1777}, "umask is 1023; give a number from 0 to 0o777"),
        ({"description": 5}, "description is 5; give a text"),
        ({"tags": 5}, "tags is 5; give a list of texts"),
        ({"tags": "abc"}, "tags is 'abc'; give a list of texts"),
        ({"env": [1]}, "env is [1]; give a dict of names and values"),
        ({"env": {"KEY": b"hush"}}, "env has a value of the type bytes for 'KEY'; give a text, or a rota.Secret"),
        ({"env": {1: "a"}}, "env has a variable named 1; give a text"),
        ({"env": {"KEY": rota.Secret(5)}}, "5 is no place of a secret"),
        ({"enabled": "no"}, "enabled is 'no'; give True or False"),
        ({"cron": 5}, "cron is 5; give a text such as '30 2 * * *', a rota.Cron, or a list of these"),
        ({"cron": ["@daily", 5]}, "cron is ['@daily', 5]; give a text"),
        ({"at": 5}, "at is 5; give a text such as '2027-01-31 10:00', a datetime, a rota.At, or a list of these"),
        ({"at": date(2027, 1, 31)}, "at is datetime.date(2027, 1, 31); give a text such as"),
        ({"cwd": 5}, "cwd is 5; give the path of a directory"),
        ({"env_file": 5}, "env_file is 5; give the path of a file"),
        ({"max_output": "1KB"}, "max_output is '1KB'; give a whole number of bytes, 0 or more"),
        ({"max_output": -1}, "max_output is -1; give a whole number of bytes, 0 or more"),
        ({"every": True}, "every is True; give a duration such as '5m', or a rota.Every"),
        ({"schedule": []}, "schedule is []; give a rota.Cron, Every, At or Calendar"),
        ({"schedule": rota.Cron}, "schedule is <class 'rota.sdk.schedules.Cron'>; give a rota.Cron"),
        ({"timeout": math.inf}, f"timeout is inf; {_SPAN}"),
        ({"jitter": [1]}, f"jitter is [1]; {_SPAN}"),
        ({"start_by": "5 foo"}, "start_by is '5 foo'; unknown unit 'foo'; "),
        ({"grace": -1}, "grace is -1s; it must not be negative"),
        ({"priority": 1.5}, "priority is 1.5; give a word such as 'high', or a whole number"),
        ({"overlap": 5}, "overlap is 5; give one of skip, queue, replace, allow"),
        ({"timezone": "Foo/Bar"}, "no time zone is named 'Foo/Bar'; write an IANA name"),
        ({"args": (1, 2)}, "double(number) cannot be called so: too many positional arguments; give args and kwargs"),
        ({"kwargs": {"nummer": 1}}, "double(number) cannot be called so: got an unexpected keyword argument 'nummer'"),
        ({"args": "ab"}, "args is 'ab'; give a list or a tuple of arguments"),
        ({"kwargs": [1]}, "kwargs is [1]; give a dict of names and arguments"),
    ],
)
def test_a_word_that_means_nothing_is_refused_with_what_it_may_be(scheduler, options, said):
    with pytest.raises(BadJob) as refused:
        scheduler.add(double, "x", **options)
    assert str(refused.value).startswith(f"job 'x': {said}")
    assert [] == scheduler.jobs()


def test_numbers_and_paths_are_fine_as_variables(scheduler):
    scheduler.add('echo "$A $B"', "show", env={"A": 1, "B": Path("/tmp")})
    handle = scheduler.trigger("show")
    assert (State.SUCCEEDED, "1 /tmp\n") == (handle.wait(20).state, handle.output())


def test_an_instant_without_a_zone_is_wall_time_wherever_it_is_given(scheduler):
    naive = datetime(2027, 1, 31, 10, tzinfo=UTC).replace(tzinfo=None)
    scheduler.add(double, timezone="Europe/Berlin", not_before=naive)
    assert datetime(2027, 1, 31, 9, tzinfo=UTC) == scheduler.get("double").stored.job.policy.not_before


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: rota.Cron(5), "the text of a rota.Cron is 5; give one such as"),
        (lambda: rota.Calendar(5), "the text of a rota.Calendar is 5; give one such as"),
        (lambda: rota.Every(True), "the interval of a rota.Every is True; give a duration"),
        (lambda: rota.At(5), "the instant of a rota.At is 5; give a text"),
        (lambda: Retry(1.5), "count of a rota.Retry is 1.5; give a whole number"),
        (lambda: Retry(1, only_on=(1.5,)), "only_on of a rota.Retry is (1.5,); give a tuple of exit codes"),
        (lambda: Scheduler(capacity=0), "the scheduler: capacity is 0; give a whole number, 1 or more"),
        (lambda: Scheduler(capacity=-5), "the scheduler: capacity is -5; give a whole number, 1 or more"),
        (lambda: Scheduler(capacity="4"), "the scheduler: capacity is '4'; give a whole number, 1 or more"),
        (lambda: Scheduler(timezone="Foo/Bar"), "the scheduler: no time zone is named 'Foo/Bar'"),
        (lambda: rota.task(timeout="x")(double), "task 'double': timeout is 'x'; a number is missing"),
        (lambda: rota.task(backoff="x")(double), "task 'double': backoff is 'x'; give a number"),
    ],
)
def test_a_value_that_means_nothing_is_refused_where_it_is_made(make, said):
    with pytest.raises(RotaError) as refused:
        make()
    assert str(refused.value).startswith(said)


# -- what is to run ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (5, "5 cannot be run; give a function"),
        (b"ls", "b'ls' cannot be run; give a function"),
        (["ls", None], r"\['ls', None\] is no list of words"),
        (lambda: 1, "a lambda has no name that its job could have; give one"),
        (lines, "the function of job 'lines' is a generator: it does nothing when it is called"),
        (lines_later, "the function of job 'lines_later' is a generator: it does nothing"),
        (Lines(), "the function of job 'Lines' is a generator: it does nothing"),
        (Shop.sell, r"sell\(self\) cannot be called so: missing a required argument: 'self'"),
    ],
)
def test_what_cannot_be_run_is_refused(scheduler, what, said):
    with pytest.raises(BadJob, match=said):
        scheduler.add(what)


def test_a_command_has_its_arguments_among_its_words(scheduler):
    with pytest.raises(BadJob, match="args and kwargs are for functions"):
        scheduler.add(["echo"], args=["hello"])


def test_a_decorator_that_gives_an_argument_of_its_own_is_believed(scheduler):
    def with_a_session(function):
        @wraps(function)
        def call(*args, **kwargs):
            return function("session", *args, **kwargs)

        return call

    @scheduler.job()
    @with_a_session
    def ask(session):
        return session

    assert "session" == scheduler.trigger("ask").result(20)


@pytest.mark.parametrize("place", ["scheduler.job", "rota.job"])
@pytest.mark.parametrize(
    ("said", "decorate"),
    [
        ("{place} wants to know when: write @{place}(every='5m')", lambda job: job(double)),
        ("lines is a generator: it does nothing when it is called", lambda job: job()(lines)),
        ("{place} stands above a function, and Shop.sell is a method: nobody says of", lambda job: job()(Shop.sell)),
        ("{place} stands above a function, and double is a class method", lambda job: job()(classmethod(double))),
        ("a lambda has no name that its job could have", lambda job: job()(lambda: 1)),
    ],
)
def test_a_decorator_refuses_what_no_run_could_call(scheduler, place, said, decorate):
    with pytest.raises(RotaError) as refused:
        decorate(rota.job if place == "rota.job" else scheduler.job)
    assert str(refused.value).startswith(said.format(place=place))


def test_a_function_whose_parameters_nobody_gives_a_value_is_refused(scheduler):
    with pytest.raises(BadJob, match=r"job 'abs': abs\(x\) cannot be called so: missing a required argument: 'x'"):
        scheduler.job()(abs)


@pytest.mark.parametrize("kind", [classmethod, staticmethod])
def test_a_task_is_put_below_what_makes_a_method_of_its_class(kind):
    with pytest.raises(BadJob, match=rf"rota\.task stands above @{kind.__name__} of double; put it below"):
        rota.task(retries=2)(kind(double))


def test_a_bound_method_is_a_job_like_any_function(scheduler):
    scheduler.add(Shop().sell)
    assert "sold" == scheduler.trigger("sell").result(20)


def test_a_decorated_function_may_replace_the_one_before(scheduler):
    scheduler.add(double, "twice")

    @scheduler.job("twice", replace=True)
    def other() -> int:
        return 7

    assert 7 == scheduler.trigger("twice").result(20)


# -- runs and names ---------------------------------------------------------------------------------------------------


def test_parameters_may_have_any_name_and_plain_values(scheduler):
    scheduler.add('echo "$ROTA_PARAM_name $ROTA_PARAM_job $ROTA_PARAM_self $ROTA_PARAM_day"', "show")
    handle = scheduler.trigger("show", name="x", job=3, self=1.5, day=date(2027, 1, 31))
    handle.wait(20)
    assert "x 3 1.5 2027-01-31\n" == handle.output()


@pytest.mark.parametrize("value", [None, [1], {"a": 1}, b"x", object])
def test_a_parameter_that_is_no_text_is_refused(scheduler, value):
    scheduler.add(double)
    with pytest.raises(BadJob, match=r"parameter 'rows' is .*; give a text, a number, a date or a path"):
        scheduler.trigger("double", rows=value)


def test_a_run_that_never_was_is_said_to_be_none(scheduler):
    with pytest.raises(NoSuchRun, match="no run has the id 'zzz'; it never had, or the run was pruned"):
        scheduler.handle("zzz")


def test_a_pool_has_a_whole_number_of_places(scheduler):
    with pytest.raises(BadJob, match="pool 'disk': size is '2'; give a whole number"):
        scheduler.set_pool("disk", "2")


def test_of_a_job_that_is_not_there_the_others_are_named(scheduler):
    with pytest.raises(NoSuchJob, match=r"no job named 'backup'; there are no jobs$"):
        scheduler.get("backup")
    for number in range(12):
        scheduler.add(double, f"job {number:02}")
    with pytest.raises(NoSuchJob, match=r"no job named 'backup'; there are: job 00, job 01, .*, job 09 and 2 more$"):
        scheduler.trigger("backup")
    with pytest.raises(NoSuchJob, match=r"no job named 'jab 03'; did you mean 'job 03'\?$"):
        scheduler.trigger("jab 03")


# -- how things are said ----------------------------------------------------------------------------------------------


class Mute(Exception):
    def __str__(self) -> str:
        raise ValueError("no")


class Odd(Exception):
    def __str__(self) -> str:
        return 5  # type: ignore[return-value]  # noqa: PLE0307 -- somebody's mistake


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("boom"), "ValueError: boom"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (MemoryError(), "MemoryError"),
        (Mute(), "Mute (its text cannot be shown: ValueError)"),
        (Odd(), "Odd (its text cannot be shown: TypeError)"),
        (ValueError("a\udc80b"), "ValueError: a\\udc80b"),
    ],
)
def test_any_exception_can_be_told(error, said):
    assert said == told(error)


@pytest.mark.parametrize("decorated", [False, True])
def test_a_warning_points_at_the_program(scheduler, decorated):
    lock = threading.Lock()

    def locked() -> bool:
        return lock.locked()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if decorated:
            scheduler.job(apart=True)(locked)
        else:
            scheduler.add(locked, apart=True)
    assert [(__file__, "cannot be sent" in str(each.message)) for each in caught] == [(__file__, True)]


def test_dir_names_what_is_public_and_nothing_of_typing():
    assert [] == [name for name in rota.__all__ if name not in dir(rota)]
    assert set() == {"Any", "TYPE_CHECKING", "annotations"} & set(dir(rota))
