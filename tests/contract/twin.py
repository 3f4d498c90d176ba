"""A dictionary and its model, given the same operations and held to the same answers."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from persidict import MutationPolicyError, PersiDict
from tests.contract.model import ABSENT, Model, Outcome

NEVER_AN_ETAG = "no write has this etag"


class Twin:
    """Runs each operation on both and fails at the first difference.

    Etags are named by the model's numbers; a number that the model has not given is an etag that
    no store has given.
    """

    def __init__(self, d: PersiDict[Any], model: Model, *, etags: dict[Any, Any] | None = None):
        self.d = d
        self.model = model
        self.etags: dict[Any, Any] = {ABSENT: ABSENT} if etags is None else etags

    def run(self, method: str, key: Any, *, model_key: Any = None, **arguments: Any) -> None:
        """Call a conditional operation; `model_key` where the model knows the key by another."""
        model_key = key if model_key is None else model_key
        try:
            expected = getattr(self.model, method)(model_key, **arguments)
        except MutationPolicyError:
            self._refuses(method, key, arguments)
            return
        result = getattr(self.d, method)(key, **self._with_etags(arguments))
        if isinstance(expected, tuple):
            after, value = expected
            self._learn(after, result.resulting_etag)
            assert (result.resulting_etag, result.new_value) == (self.etags[after], value)
        else:
            self._compare(result, expected)

    def _refuses(self, method: str, key: Any, arguments: dict[str, Any]) -> None:
        with pytest.raises(MutationPolicyError) as refusal:
            getattr(self.d, method)(key, **self._with_etags(arguments))
        assert refusal.value.policy == "append-only"

    def _with_etags(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if "expected_etag" not in arguments:
            return arguments
        return {
            **arguments,
            "expected_etag": self.etags.get(arguments["expected_etag"], NEVER_AN_ETAG),
        }

    def _compare(self, result: Any, expected: Outcome) -> None:
        self._learn(expected.resulting_etag, result.resulting_etag)
        shown = {
            field.name: self.etags[getattr(expected, field.name)]
            if field.name.endswith("etag")
            else getattr(expected, field.name)
            for field in fields(expected)
        }
        assert {name: getattr(result, name) for name in shown} == shown
        assert result.value_was_mutated is (expected.actual_etag != expected.resulting_etag)

    def learn(self, model_key: Any, key: Any) -> None:
        """Take the etag that a write outside `run` has left."""
        self._learn(self.model.etag(model_key), self.d.etag(key))

    def _learn(self, number: Any, etag: Any) -> None:
        if number not in self.etags:
            assert etag not in self.etags.values(), "an etag came back"
            self.etags[number] = etag
