import itertools
import json
import subprocess
import sys
import threading
import types
import warnings
from collections import deque

import jsonpickle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persidict.codecs import JsonCodec

from .values import PLAIN, TAG_KEYS, TAGGED, Color, FrozenTask, MyInt, MyStr, Node, Task

codec = JsonCodec()

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(), max_size=5)
    | st.binary(max_size=3)
    | st.sampled_from([*TAG_KEYS, Color.RED, MyStr("a"), MyInt(1), ..., int, 1j])
    | st.datetimes()
    | st.decimals(allow_nan=False)
)
keys = leaves | st.tuples(leaves, leaves) | st.frozensets(leaves, max_size=2)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=3)
        | st.sets(keys, max_size=3)
        | st.builds(Task, inner, inner)
        | st.builds(lambda a: Node(a=a, b=a), inner)
    ),
    max_leaves=12,
)


def spelled(value):
    """The value with every type and the order of every dictionary written out."""
    kind = type(value).__name__
    if isinstance(value, dict):
        return kind, [(spelled(key), spelled(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return kind, [spelled(item) for item in value]
    if isinstance(value, set | frozenset):
        return kind, sorted(repr(spelled(item)) for item in value)
    if isinstance(value, Node | Task | FrozenTask):
        return kind, spelled(vars(value))
    return kind, repr(value)


def there_and_back(value):
    return codec.decode(codec.encode(value))


def test_labels():
    assert (codec.format, codec.content_type) == ("json", "application/json")


class TestPlainValues:
    @pytest.mark.parametrize("name", PLAIN)
    def test_are_stored_as_what_they_are(self, name):
        value = PLAIN[name]

        assert json.loads(codec.encode(value)) == value
        assert spelled(there_and_back(value)) == spelled(value)

    def test_are_readable_by_a_person(self):
        assert codec.encode({"na\u00efve": "\u00e9", "n": [1, None]}) == (
            '{"na\u00efve": "\u00e9", "n": [1, null]}'.encode()
        )

    def test_of_100_levels_and_more(self):
        for depth in (99, 100, 101, 120):
            value = []
            for _ in range(depth):
                value = [value]

            assert there_and_back(value) == value


class TestTaggedValues:
    @pytest.mark.parametrize("name", TAGGED)
    def test_come_back_as_they_were(self, name):
        value = TAGGED[name]
        arrived = there_and_back(value)

        assert type(arrived) is type(value)
        assert spelled(arrived) == spelled(value) or " at 0x" in repr(value)

    @given(values)
    def test_of_any_nesting_come_back_as_they_were(self, value):
        assert spelled(there_and_back(value)) == spelled(value)

    @given(values)
    def test_are_read_by_jsonpickle_itself(self, value):
        document = codec.encode(value).decode()

        assert spelled(jsonpickle.decode(document, keys=True)) == spelled(value)

    @given(values)
    def test_written_by_jsonpickle_itself_are_read_as_it_reads_them(self, value):
        document = jsonpickle.encode(value, keys=True)
        try:
            expected = jsonpickle.decode(document, keys=True)
        except Exception:  # noqa: BLE001 - what jsonpickle cannot read, we need not
            return
        try:
            arrived = codec.decode(document.encode())
        except ValueError:
            # Where jsonpickle makes something up, reading fails: then it had lost the value.
            assert spelled(expected) != spelled(value)
        else:
            assert spelled(arrived) == spelled(expected)

    def test_fields_are_readable_by_a_person(self):
        document = json.loads(codec.encode(Task("d\u00e9j\u00e0", [1])))

        assert document["name"] == "d\u00e9j\u00e0"
        assert document["parts"] == [1]
        assert "d\u00e9j\u00e0".encode() in codec.encode(Task("d\u00e9j\u00e0"))

    def test_keys_are_readable_by_a_person(self):
        assert codec.encode({("d\u00e9j\u00e0",): 1}) == (
            '{"json://{\\"py/tuple\\": [\\"d\u00e9j\u00e0\\"]}": 1}'.encode()
        )

    @pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
    def test_numbers_that_json_lacks(self, number):
        arrived = there_and_back({"a": [number, number]})["a"]

        assert [str(item) for item in arrived] == [str(number)] * 2

    def test_two_surrogates_that_are_no_pair_when_they_are_written_are_refused(self):
        pair = "\ud83d" + "\ude00"

        with pytest.raises(TypeError, match="because of a str in it"):
            codec.encode([pair])

    def test_iterators_are_not_used_up(self):
        value = iter([1, 2, 3])
        next(value)

        assert list(there_and_back(value)) == [2, 3]
        assert list(value) == [2, 3]

        mine = TAGGED["iterator of a program"]
        assert list(there_and_back(mine)) == [2, 1, 0]
        assert mine.left == 3


class TestReferences:
    def test_shared_objects_stay_shared(self):
        shared = [1]
        value = {"a": shared, "b": (shared,), 1: {"c": shared}, (1,): Node(d=shared)}
        arrived = there_and_back(value)

        assert spelled(arrived) == spelled(value)
        assert arrived["a"] is arrived["b"][0] is arrived[1]["c"] is arrived[(1,)].d

    def test_shared_lists_and_dicts_of_plain_values_stay_shared(self):
        for shared in ([1], {"x": 1}, []):
            arrived = there_and_back({"a": shared, "b": [shared]})

            assert arrived["a"] == shared
            assert arrived["a"] is arrived["b"][0]

    def test_equal_objects_stay_apart(self):
        first, second = there_and_back([[1], [1]])

        assert first == second
        assert first is not second

    def test_shared_objects_beside_tag_keys(self):
        shared = {"x": 1}
        value = {"json://1": shared, "b": [shared], 2: shared, "py/id": [shared]}
        arrived = there_and_back(value)

        assert spelled(arrived) == spelled(value)
        assert arrived["json://1"] is arrived["b"][0] is arrived[2] is arrived["py/id"][0]

    def test_recursive_lists_dicts_and_objects(self):
        box, table, node = [], {}, Node()
        box.append(box)
        table["self"] = table
        table[1] = [table]
        node.me = {"node": node}

        arrived = there_and_back(box)
        assert arrived[0] is arrived
        arrived = there_and_back(table)
        assert arrived["self"] is arrived
        assert arrived[1][0] is arrived
        arrived = there_and_back(node)
        assert arrived.me["node"] is arrived


class Fleeting:
    """Comes back as another one each time."""

    times = itertools.count()

    def __init__(self):
        self.time = next(self.times)

    def __getstate__(self):
        return {"time": self.time}

    def __setstate__(self, state):
        self.time = next(self.times)


class TestRefusals:
    @pytest.mark.parametrize(
        "value",
        [
            lambda: "secret",
            (step for step in [1]),
            threading.Lock(),
            threading.RLock(),
            threading.Thread(),
            sys,
            sys.stderr,
            memoryview(b"a"),
            types.MappingProxyType({}),
            {}.keys(),
            "a".upper,
            10**5000,
            Fleeting(),
            type("Local", (), {})(),
        ],
        ids=lambda value: type(value).__name__,
    )
    @pytest.mark.parametrize("place", ["itself", "list", "dict", "attribute"])
    def test_what_cannot_come_back_is_refused(self, value, place):
        placed = {
            "itself": lambda: value,
            "list": lambda: [1, value],
            "dict": lambda: {"a": value},
            "attribute": lambda: Node(a=value),
        }[place]()

        with pytest.raises(TypeError, match="cannot be stored as JSON"):
            codec.encode(placed)

    def test_the_text_names_types_and_never_the_value(self):
        with pytest.raises(TypeError) as refused:
            codec.encode({"password": "hunter2", "a": Fleeting()})

        assert "type dict" in str(refused.value)
        assert "hunter2" not in str(refused.value)

    def test_what_would_be_something_else_is_named(self):
        with pytest.raises(TypeError, match="because of a builtin_function_or_method in it"):
            codec.encode([(), "a".upper])

    def test_a_generator_is_refused_before_it_is_touched(self):
        steps = (step for step in [1, 2])
        with pytest.raises(TypeError):
            codec.encode([steps])

        assert list(steps) == [1, 2]

    def test_too_deep_a_value(self):
        value = []
        for _ in range(100_000):
            value = [value]
        try:
            with pytest.raises(TypeError, match="RecursionError"):
                codec.encode(value)
        finally:
            while value:
                value = value[0]

    def test_a_loop_through_a_deque_is_refused(self):
        loop = deque()
        loop.append({"a": loop})
        with pytest.raises(TypeError, match="because of a"):
            codec.encode(loop)


class TestReading:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b" ",
            b"{",
            b'{"a": 1} x',
            b"nul",
            b"\xff",
            b'"\xe9"',
            b"\xef\xbb\xbf1",
            '{"a": 1}'.encode("utf-16"),
            b"\x80\x04K\x01.",
            b"[" * 100_000,
            b'{"py/object": "no.such.Class", "a": 1}',
            b'{"py/type": "no.such.Class"}',
            b'{"py/function": "no.such.function"}',
            b'{"py/reduce": [{"py/type": "no.such.Class"}, {"py/tuple": []}]}',
            b'{"py/reduce": [{"py/type": "builtins.int"}, {"py/tuple": ["x"]}]}',
            b'{"py/tuple": [{"py/reduce": [{"py/type": "builtins.int"}, {"py/tuple": [null]}]}]}',
            b'{"py/reduce": [{"py/type": "builtins.list"}, {"py/tuple": [[1]]}, null, 5]}',
            b'{"py/b64": "not base64"}',
            b'{"py/b64": 5}',
            b'{"json://{": 1}',
        ],
    )
    def test_what_is_no_document_is_refused(self, body):
        with pytest.raises(ValueError, match="cannot be read as JSON"):
            codec.decode(body)

    @pytest.mark.parametrize("name", PLAIN | TAGGED)
    def test_a_truncated_document_is_refused(self, name):
        body = codec.encode((PLAIN | TAGGED)[name])
        if body[:1] not in b'{["':
            body = b"[" + body + b"]"

        for length in range(len(body)):
            with pytest.raises(ValueError, match="cannot be read as JSON"):
                codec.decode(body[:length])

    @pytest.mark.parametrize(
        "body",
        [
            rb'{"py/tuple": [1]}',
            rb'{"py\/tuple": [1]}',
            rb'{"\u0070y/tuple": [1]}',
            rb'{"p\u0079/tuple": [1]}',
            rb'{"py\u002ftuple": [1]}',
            rb'{"py\u002Ftuple": [1]}',
        ],
    )
    def test_a_tag_is_a_tag_however_it_is_spelled(self, body):
        assert codec.decode(body) == (1,)

    @pytest.mark.parametrize("body", [rb'{"json:\/\/1": 2}', rb'{"\u006ason://1": 2}'])
    def test_a_key_is_a_key_however_it_is_spelled(self, body):
        assert codec.decode(body) == {1: 2}

    def test_numbers_that_json_lacks_are_read_all_the_same(self):
        assert codec.decode(b"[Infinity, -Infinity]") == [float("inf"), -float("inf")]

    def test_nothing_but_tagged_documents_takes_jsonpickle(self):
        program = (
            "import sys\n"
            "from persidict.codecs import JsonCodec\n"
            "codec = JsonCodec()\n"
            "codec.decode(codec.encode({'state': 'open', 'n': [1, 0.5, None]}))\n"
            "assert not {'jsonpickle', 'numpy', 'pandas'} & set(sys.modules)\n"
            "codec.decode(codec.encode((1,)))\n"
            "assert 'jsonpickle' in sys.modules\n"
            "assert not {'numpy', 'pandas'} & set(sys.modules)\n"
        )
        subprocess.run([sys.executable, "-c", program], check=True)


def test_no_value_makes_a_warning():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for value in TAGGED.values():
            there_and_back(value)

    assert caught == []
