"""numpy and pandas, neither of which is imported before a value or a document needs it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from threading import Lock
from typing import Any, Final

_registration = Lock()


def _after_fork() -> None:
    global _registration  # noqa: PLW0603 - whoever held it at the fork is not in the child
    _registration = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def register_extensions(packages: Iterable[str]) -> None:
    """Let jsonpickle handle the arrays of these packages, unless the program did so.

    A package that is not installed is left out: only a value that needs it cannot be read.
    """
    for package in packages:
        with _registration, suppress(ImportError):
            _REGISTER[package]()


def _register_numpy() -> None:
    import numpy as np
    from jsonpickle import handlers

    found = handlers.get(np.ndarray)
    if found is not None and not isinstance(found, handlers.BaseHandler):
        return
    if found is None:
        from jsonpickle.ext.numpy import register_handlers

        register_handlers()
    from persidict.codecs.array_handler import OneForEach

    handlers.register(np.ndarray, OneForEach(handlers.get(np.ndarray)), base=True)


def _register_pandas() -> None:
    import pandas as pd
    from jsonpickle import handlers

    _register_numpy()
    if handlers.get(pd.DataFrame) is not None:
        return
    from jsonpickle.ext import pandas as ext

    # One by one, since its `register_handlers` would also put back the one handler of arrays that
    # all threads share.
    for kind, handler in (
        (pd.DataFrame, ext.PandasDfHandler),
        (pd.Series, ext.PandasSeriesHandler),
        (pd.Index, ext.PandasIndexHandler),
        (pd.PeriodIndex, ext.PandasPeriodIndexHandler),
        (pd.MultiIndex, ext.PandasMultiIndexHandler),
        (pd.Timestamp, ext.PandasTimestampHandler),
        (pd.Period, ext.PandasPeriodHandler),
        (pd.Interval, ext.PandasIntervalHandler),
    ):
        handlers.register(kind, handler, base=True)


_REGISTER: Final = {"numpy": _register_numpy, "pandas": _register_pandas}


def imported_packages() -> list[str]:
    """Those of the packages that the program has imported."""
    return [package for package in _REGISTER if sys.modules.get(package) is not None]


def mentioned_packages(text: str) -> list[str]:
    """Those of the packages that a document may need."""
    return [package for package in _REGISTER if f'"{package}.' in text]


def is_lossy(value: Any) -> bool:
    """Whether jsonpickle's extensions would lose something of this array, or warn about it."""
    package = type(value).__module__.partition(".")[0]
    if package == "numpy":
        import numpy as np

        return not (isinstance(value, np.generic) or type(value) is np.ndarray)
    if package == "pandas":
        import pandas as pd

        return type(value) is not pd.DataFrame or any(
            dtype.kind not in "biuf" for dtype in value.dtypes
        )
    return False


def without_base(value: Any) -> Any:
    """A view as an array of its own, since jsonpickle would store all that it is a view of."""
    is_view = type(value).__module__ == "numpy" and getattr(value, "base", None) is not None
    return value.copy() if is_view else value


def parts_of_array(value: Any) -> list[Any] | None:
    """What an array, series or frame consists of; None for anything else.

    Blocks, strides and the class of an index of integers are no part of the value.
    """
    package = type(value).__module__.partition(".")[0]
    if package == "numpy":
        import numpy as np

        if type(value) is np.ndarray:
            items = value.tolist() if value.dtype.hasobject else value.tobytes()
            return [value.dtype, value.shape, items]
    if package == "pandas":
        import pandas as pd

        if type(value) is pd.Series:
            columns = [value.array]
            labels = [value.name]
        elif type(value) is pd.DataFrame:
            columns = [value.iloc[:, number].array for number in range(value.shape[1])]
            labels = [_labels(value.columns)]
        else:
            return None
        return [
            value.attrs,
            value.flags.allows_duplicate_labels,
            _labels(value.index),
            *labels,
            *columns,
        ]
    return None


def _labels(index: Any) -> Any:
    import pandas as pd

    if type(index) in (pd.Index, pd.RangeIndex) and index.dtype == "int64":
        return [index.name, index.to_numpy()]
    return index
