"""jsonpickle, made certain: what it would lose without a word is stored otherwise, or refused."""

from __future__ import annotations

import base64
import json
import pickle
from math import isfinite
from typing import Any, Final

from jsonpickle import handlers, tags, util
from jsonpickle.pickler import Pickler
from jsonpickle.unpickler import Unpickler

from persidict.codecs.arrays import (
    imported_packages,
    is_lossy,
    mentioned_packages,
    register_extensions,
    without_base,
)
from persidict.codecs.same_value import PROTOCOL, first_difference, reduced


def to_tagged_json(value: Any) -> str:
    """A document that jsonpickle reads back as the same value, or as pickle's copy of it.

    Raises:
        TypeError: There is none.
    """
    kind = type(value).__name__
    try:
        # It refuses whatever stands for a process's own state: locks, files, generators, lambdas.
        copy = pickle.loads(pickle.dumps(value, PROTOCOL))
    except Exception as error:
        raise TypeError(
            f"A value of type {kind} cannot be stored as JSON ({type(error).__name__}). Store "
            "plain data, or a class that pickle can find by its name."
        ) from error
    register_extensions(imported_packages())
    difference: type | None = None
    failure: Exception | None = None
    for reduce_all in (False, True):
        try:
            text = _dumps(_Pickler(reduce_all=reduce_all).flatten(value))
            read = from_tagged_json(text)
            difference = first_difference(value, read) and first_difference(copy, read)
        except Exception as error:  # noqa: BLE001 - jsonpickle raises anything
            failure = error
        else:
            if difference is None:
                return text
    raise TypeError(
        f"A value of type {kind} cannot be stored as JSON: it would be read back as something "
        f"else{f', because of a {difference.__name__} in it' if difference else ''}. Store it as "
        "pkl, or store plain data."
    ) from failure


def from_tagged_json(text: str) -> Any:
    """The value of a document, with jsonpickle's tags or without; any exception if it is none."""
    document = json.loads(text)
    register_extensions(mentioned_packages(text))
    return _Unpickler(keys=True, backend=_Backend).restore(document)


def _dumps(document: Any) -> str:
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return json.dumps(document, allow_nan=False)
    return text


_RESERVED: Final = ("py/", tags.JSON_KEY)


class _Backend:
    """What jsonpickle spells keys with, whatever JSON packages are installed."""

    @staticmethod
    def encode(document: Any, **_: Any) -> str:
        return _dumps(document)

    @staticmethod
    def decode(text: str) -> Any:
        return json.loads(text)


class _Pickler(Pickler):  # type: ignore[misc]
    """Writes what jsonpickle reads, and loses less than its own pickler.

    Args:
        reduce_all: Store every object by what pickle makes of it: exact, and hard to read.
    """

    def __init__(self, *, reduce_all: bool) -> None:
        super().__init__(keys=True, backend=_Backend)
        self._reduce_all = reduce_all

    def _flatten_impl(self, value: Any) -> Any:
        # Standard JSON has no NaN and no infinities.
        if type(value) is float and not isfinite(value):
            return self._ref_obj_instance(value)
        return super()._flatten_impl(value)

    def _get_flattener(self, value: Any) -> Any:
        flattener = super()._get_flattener(value)
        by_reduction = self._reduce_all and flattener == self._ref_obj_instance
        # A global is no object of the document: a reference to it must not be counted.
        return self._flatten_global if by_reduction and len(reduced(value)) == 1 else flattener

    def _flatten_global(self, value: Any) -> dict[str, str]:
        module = getattr(value, "__module__", None) or type(value).__module__
        return {tags.FUNCTION: f"{module}.{reduced(value)[0]}"}

    def _flatten_obj_instance(self, value: Any) -> Any:
        if type(value) is float:
            return {tags.REDUCE: [{tags.TYPE: "builtins.float"}, {tags.TUPLE: [str(value)]}]}
        if util.is_iterator(value) or is_lossy(value) or self._must_reduce(value):
            return self._flatten_reduced(value)
        return super()._flatten_obj_instance(without_base(value))

    def _must_reduce(self, value: Any) -> bool:
        kind: Any = type(value)
        is_plain_instance = (
            hasattr(value, "__dict__")
            and kind.__reduce_ex__ is object.__reduce_ex__
            and kind.__reduce__ is object.__reduce__
            and handlers.get(kind) is None
        )
        return self._reduce_all and not is_plain_instance

    def _flatten_reduced(self, value: Any) -> dict[str, Any]:
        function, *rest = reduced(value)
        if getattr(function, "__name__", "") == "__newobj__":
            function = tags.NEWOBJ
        while rest[-1] is None:
            del rest[-1]
        return {tags.REDUCE: [self._flatten(part) for part in (function, *rest)]}

    def _flatten_string_key_value_pair(self, key: Any, value: Any, data: dict[str, Any]) -> Any:
        # Escaped keys are read after all others: once there is one, the rest must be, too, or
        # the order is lost.
        last = next(reversed(data), "")
        if type(key) is not str or key.startswith(_RESERVED) or last.startswith(tags.JSON_KEY):
            key = self._escape_key(key)
        data[key] = self._flatten(value)
        return data

    def _flatten_non_string_key_value_pair(self, _key: Any, _value: Any, data: Any) -> Any:
        return data


class _Unpickler(Unpickler):  # type: ignore[misc]
    """Reads what jsonpickle writes, and fails where its own unpickler makes something up."""

    def _restore(self, document: Any, **options: Any) -> Any:
        try:
            return super()._restore(document, **options)
        except TypeError as error:
            # jsonpickle takes a TypeError of any part for an empty tuple, set or list.
            raise ValueError("A part of the document cannot be restored") from error

    def _process_missing(self, class_name: str) -> None:
        raise ValueError(f"The document needs the class {class_name}, which is not here")

    def _restore_type(self, document: dict[str, Any]) -> Any:
        found = super()._restore_type(document)
        if found is document:
            self._process_missing(document[tags.TYPE])
        return found

    def _restore_function(self, document: dict[str, Any]) -> Any:
        found = super()._restore_function(document)
        if found is None:
            self._process_missing(document[tags.FUNCTION])
        return found

    def _restore_base64(self, document: dict[str, Any]) -> bytes:
        return base64.b64decode(document[tags.B64], validate=True)
