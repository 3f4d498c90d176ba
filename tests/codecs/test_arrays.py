import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import jsonpickle
import jsonpickle.ext.numpy
import jsonpickle.ext.pandas
import numpy as np
import pandas as pd
import pytest

from persidict.codecs import JsonCodec, arrays
from tests.stores.forking import in_forked_child

codec = JsonCodec()

DAYS = pd.date_range("2026-05-17", periods=2)
READ_ONLY = np.arange(3)
READ_ONLY.flags.writeable = False

ARRAYS = {
    "ints": np.arange(3),
    "floats": np.array([1.5, np.nan, -np.inf, -0.0]),
    "two dimensions": np.arange(6).reshape(2, 3),
    "transposed": np.arange(6).reshape(2, 3).T,
    "many": np.arange(100.0),
    "many, columns first": np.asfortranarray(np.arange(100.0).reshape(10, 10)),
    "every third": np.arange(100)[::3],
    "backwards": np.arange(100)[::-1],
    "empty": np.zeros((0, 3)),
    "no dimension": np.array(5),
    "bools": np.array([True, False]),
    "halves": np.array([1.5], dtype="f2"),
    "long doubles": np.array([1.5], dtype=np.longdouble),
    "complex": np.array([1 + 2j]),
    "strings": np.array(["a", "\u00e9\u00e9"]),
    "many strings": np.array(["a" * n for n in range(30)]),
    "byte strings": np.array([b"a\xff"]),
    "objects": np.array([1, "a", None, (1, {2})], dtype=object),
    "many objects": np.array([1, "a", (1,)] * 10, dtype=object),
    "days": np.array(["2026-05-17", "NaT"], dtype="M8[D]"),
    "nanoseconds": np.array(["2026-05-17T00:00:00.000000001"], dtype="M8[ns]"),
    "timedeltas": np.array([1, 2], dtype="m8[s]"),
    "big endian": np.array([1, 2], dtype=">i4"),
    "many big endian": np.arange(50, dtype=">i4"),
    "records": np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]),
    "read only": READ_ONLY,
    "masked": np.ma.array([1, 2], mask=[False, True]),
}
SCALARS = {
    "float32": np.float32(1.1),
    "float64": np.float64("nan"),
    "int64": np.int64(-3),
    "uint64": np.uint64(2**63 + 1),
    "bool": np.bool_(True),
    "str": np.str_("a"),
    "complex": np.complex128(1j),
    "day": np.datetime64("2026-05-17"),
    "nanosecond": np.datetime64("2026-05-17T00:00:00.000000001", "ns"),
    "timedelta": np.timedelta64(3, "s"),
    "dtype": np.dtype("i4"),
}
FRAMES = {
    "ints": pd.DataFrame({"a": [1, 2]}),
    "floats": pd.DataFrame({"a": [1.5, np.nan]}, dtype="f4"),
    "bools": pd.DataFrame({"a": [True, False]}),
    "strings": pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
    "objects": pd.DataFrame({"a": [1, "x"], "b": [(1,), [2]]}),
    "numbered columns": pd.DataFrame([[1, 2], [3, 4]]),
    "labels": pd.DataFrame({"a": [1, 2]}, index=pd.Index(["r", "s"], name="rows")),
    "days": pd.DataFrame({"a": DAYS}),
    "index of days": pd.DataFrame({"a": [1, 2]}, index=DAYS),
    "time zones": pd.DataFrame({"a": DAYS.tz_localize("Europe/Berlin")}),
    "timedeltas": pd.DataFrame({"a": DAYS - DAYS[0]}),
    "categories": pd.DataFrame({"a": pd.Categorical(["x", "y"], categories=["y", "x"])}),
    "missing ints": pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}),
    "levels": pd.DataFrame(
        [[1, 2]],
        columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)], names=["x", "y"]),
        index=pd.MultiIndex.from_tuples([(1, "a")]),
    ),
    "equal columns": pd.DataFrame([[1, 2]], columns=["a", "a"]),
    "empty": pd.DataFrame(),
    "columns alone": pd.DataFrame(columns=["a", "b"]),
    "many rows": pd.DataFrame({"a": np.arange(1000), "b": np.arange(1000) / 7}),
    "many texts": pd.DataFrame({"a": [f"task-{n}" for n in range(1000)]}),
}
SERIES = {
    "ints": pd.Series([1, 2], name="a"),
    "missing": pd.Series([1.5, None]),
    "strings": pd.Series(["a", "b"], index=["x", "y"]),
    "time zones": pd.Series(DAYS.tz_localize("UTC")),
    "categories": pd.Series(["a"], dtype="category"),
    "named by a tuple": pd.Series([1], name=("a", 1)),
    "objects": pd.Series([1, "a", (1,)]),
}
PARTS = {
    "timestamp": pd.Timestamp("2026-05-17T00:00:00.000000001", tz="Europe/Berlin"),
    "timedelta": pd.Timedelta("1s"),
    "period": pd.Period("2026-05", "M"),
    "interval": pd.Interval(0, 1, closed="left"),
    "not a time": pd.NaT,
    "not available": pd.NA,
}
INDICES = {
    "ints": pd.Index([1, 2], name="a"),
    "range": pd.RangeIndex(3),
    "strings": pd.Index(["a"]),
    "days": DAYS,
    "levels": pd.MultiIndex.from_tuples([(1, "a")]),
}

cases = pytest.mark.parametrize


def there_and_back(value):
    arrived = codec.decode(codec.encode(value))
    again = jsonpickle.decode(codec.encode(value).decode(), keys=True)
    assert type(arrived) is type(value) is type(again)
    return arrived, again


def assert_same_array(arrived, value):
    native = arrived.dtype.newbyteorder("=")
    np.testing.assert_array_equal(arrived.astype(native), value.astype(native), strict=True)
    assert native == value.dtype.newbyteorder("=")
    assert repr(arrived.tolist()) == repr(value.tolist())


class TestExactly:
    @cases("name", ARRAYS)
    def test_arrays(self, name):
        for arrived in there_and_back(ARRAYS[name]):
            assert_same_array(arrived, ARRAYS[name])

    @cases("name", SCALARS)
    def test_scalars(self, name):
        for arrived in there_and_back(SCALARS[name]):
            assert repr(arrived) == repr(SCALARS[name])

    @cases("name", FRAMES)
    def test_frames(self, name):
        for arrived in there_and_back(FRAMES[name]):
            pd.testing.assert_frame_equal(arrived, FRAMES[name], check_exact=True)

    @cases("name", SERIES)
    def test_series(self, name):
        for arrived in there_and_back(SERIES[name]):
            pd.testing.assert_series_equal(arrived, SERIES[name], check_exact=True)

    @cases("name", INDICES)
    def test_indices(self, name):
        for arrived in there_and_back(INDICES[name]):
            pd.testing.assert_index_equal(arrived, INDICES[name], exact=True)
            assert getattr(arrived, "freq", None) == getattr(INDICES[name], "freq", None)

    @cases("name", PARTS)
    def test_single_times_and_the_like(self, name):
        for arrived in there_and_back(PARTS[name]):
            assert repr(arrived) == repr(PARTS[name])

    def test_among_other_values(self):
        array, frame = np.arange(3), pd.DataFrame({"a": [1]})
        value = {"a": [array, array], 1: (frame,), "t": np.float64(0.5)}

        for arrived in there_and_back(value):
            assert_same_array(arrived["a"][0], array)
            assert arrived["a"][0] is arrived["a"][1]
            pd.testing.assert_frame_equal(arrived[1][0], frame)
            assert type(arrived["t"]) is np.float64


def test_small_arrays_and_frames_are_readable_by_a_person():
    assert b'"values": [[0, 1, 2], [3, 4, 5]]' in codec.encode(ARRAYS["two dimensions"])
    assert rb"\"a\": [1, 2]" in codec.encode(FRAMES["ints"])


def test_what_jsonpickle_itself_stores_is_read():
    jsonpickle.ext.pandas.register_handlers()
    frame = FRAMES["ints"]
    arrived = codec.decode(jsonpickle.encode([frame, np.arange(3)], keys=True).encode())

    pd.testing.assert_frame_equal(arrived[0], frame)
    np.testing.assert_array_equal(arrived[1], np.arange(3))


def test_views_that_jsonpickle_itself_stores_are_read():
    jsonpickle.ext.numpy.register_handlers()
    whole = np.arange(40, dtype="<i4")
    parts = [whole, whole[3:], whole[3:].view(">i4"), whole.reshape(5, 8).T[1:]]
    arrived = codec.decode(jsonpickle.encode(parts, keys=True).encode())

    for part, read in zip(parts, arrived, strict=True):
        assert read.dtype == part.dtype
        np.testing.assert_array_equal(read, part)


def test_a_part_of_an_array_does_not_bring_the_whole():
    secret = np.array(["public", "hunter2"])

    assert b"hunter2" not in codec.encode(secret[:1])
    assert len(codec.encode(np.random.default_rng(7).random(10_000)[:2])) < 200


@pytest.mark.parametrize("kind", [pd.Series, pd.DataFrame])
def test_attributes_and_flags_come_back(kind):
    marked = kind([1])
    marked.attrs = {"source": ("a", 1)}
    unique = kind([1]).set_flags(allows_duplicate_labels=False)

    assert codec.decode(codec.encode(marked)).attrs == {"source": ("a", 1)}
    assert not codec.decode(codec.encode(unique)).flags.allows_duplicate_labels


def test_no_array_makes_a_warning():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for value in [ARRAYS, SCALARS, FRAMES, SERIES, INDICES, PARTS]:
            for item in value.values():
                codec.decode(codec.encode(item))

    assert [str(warning.message) for warning in caught] == []


def run(program):
    # Packages that are compiled only now may warn of their own source.
    options = ["-W", "error", "-W", "ignore::SyntaxWarning"]
    subprocess.run([sys.executable, *options, "-c", program], check=True)


def test_a_reader_that_has_imported_neither_reads_both():
    body = codec.encode([np.arange(3), pd.DataFrame({"a": [1, 2]})])
    run(
        "import sys\n"
        "from persidict.codecs import JsonCodec\n"
        f"array, frame = JsonCodec().decode({body!r})\n"
        "assert array.tolist() == [0, 1, 2], array\n"
        "assert frame['a'].tolist() == [1, 2], frame\n"
    )


@pytest.mark.parametrize("package", ["numpy", "pandas"])
def test_without_the_package_only_its_own_values_cannot_be_read(package):
    body = codec.encode(np.arange(3) if package == "numpy" else FRAMES["ints"])
    mention = codec.encode({1: f"{package}.nothing"})
    run(
        "import sys\n"
        f"sys.modules[{package!r}] = None\n"
        "from persidict.codecs import JsonCodec\n"
        "codec = JsonCodec()\n"
        f"assert codec.decode({mention!r}) == {{1: '{package}.nothing'}}\n"
        "assert codec.decode(codec.encode((1,))) == (1,)\n"
        "try:\n"
        f"    codec.decode({body!r})\n"
        "except ValueError as error:\n"
        "    assert 'packages' in str(error)\n"
        "else:\n"
        "    raise AssertionError\n"
    )


SETTINGS = [{}, {"ndarray_size_threshold": 3, "ndarray_compression": None}]


@pytest.mark.parametrize("settings", SETTINGS, ids=["none of its own", "of its own"])
def test_no_two_threads_share_a_handler_of_arrays(settings):
    # It remembers for whom it was last called, and would put one's parts into another's document.
    program = ""
    if settings:
        program += f"import jsonpickle.ext.numpy as ext\next.register_handlers(**{settings})\n"
    run(
        f"{program}"
        "import numpy\n"
        "from jsonpickle.handlers import get\n"
        "from persidict.codecs import JsonCodec\n"
        "for codec in JsonCodec(), JsonCodec():\n"
        "    document = codec.encode(numpy.arange(8))\n"
        "    assert codec.decode(document).tolist() == [*range(8)]\n"
        "    one, two = (get(numpy.ndarray)(user) for user in ('one', 'two'))\n"
        "    assert (one.context, two.context) == ('one', 'two')\n"
        f"assert (b'\"shape\"' in document) is {bool(settings)}\n"
    )


def test_handlers_registered_again_by_the_program_are_not_shared_either():
    run(
        "import jsonpickle.ext.pandas as ext, numpy\n"
        "from jsonpickle.handlers import get\n"
        "from persidict.codecs import JsonCodec\n"
        "codec = JsonCodec()\n"
        "document = codec.encode(numpy.arange(8))\n"
        "for act in lambda: codec.encode(numpy.arange(8)), lambda: codec.decode(document):\n"
        "    ext.register_handlers()\n"
        "    act()\n"
        "    one, two = (get(numpy.ndarray)(user) for user in ('one', 'two'))\n"
        "    assert (one.context, two.context) == ('one', 'two')\n"
    )


def test_all_that_jsonpickle_has_for_pandas_is_registered():
    run(
        "import jsonpickle.ext.pandas as ext\n"
        "from jsonpickle.handlers import registry\n"
        "from persidict.codecs.arrays import register_extensions\n"
        "before = set(registry._handlers)\n"
        "register_extensions(['numpy', 'pandas'])\n"
        "ours = {name: registry._handlers[name] for name in set(registry._handlers) - before}\n"
        "bases = set(registry._base_handlers)\n"
        "ext.register_handlers()\n"
        "assert len(ours) > 20\n"
        "assert set(ours) == set(registry._handlers) - before\n"
        "assert bases == set(registry._base_handlers)\n"
        "changed = {str(name) for name in ours if registry._handlers[name] is not ours[name]}\n"
        "assert changed == {\"<class 'numpy.ndarray'>\", 'numpy.ndarray'}, changed\n"
    )


def test_arrays_of_threads_do_not_meet():
    documents = []
    for number in range(4):
        shared = [number]
        documents.append(codec.encode([np.array([number]), shared, np.array([0.5]), shared]))

    def read(document, number):
        for _ in range(100):
            _, first, _, second = codec.decode(document)
            assert first is second
            assert first == [number]
            assert codec.encode(codec.decode(document)) == document

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(read, documents, range(4)))
    finally:
        sys.setswitchinterval(interval)


def test_handlers_of_the_programs_own_stay():
    run(
        "import jsonpickle, numpy\n"
        "from jsonpickle.handlers import BaseHandler, get, register\n"
        "class Mine(BaseHandler):\n"
        "    def flatten(self, obj, data):\n"
        "        return data | {'mine': obj.tolist()}\n"
        "    def restore(self, data):\n"
        "        return numpy.array(data['mine'])\n"
        "register(numpy.ndarray, Mine, base=True)\n"
        "from persidict.codecs import JsonCodec\n"
        "assert b'\"mine\": [0, 1]' in JsonCodec().encode(numpy.arange(2))\n"
        "assert get(numpy.ndarray) is Mine\n"
    )


def test_a_fork_while_another_thread_registers_the_extensions_leaves_the_child_free() -> None:
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with arrays._registration:
            held.set()
            let_go.wait(20.0)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(20.0)
    try:
        read = in_forked_child(lambda: codec.decode(codec.encode(np.arange(3))).tolist())
    finally:
        let_go.set()
        holder.join(20.0)
    assert read == [0, 1, 2]
