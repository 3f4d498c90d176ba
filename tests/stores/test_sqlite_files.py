"""Which files SQLite dictionaries use, and that all others are refused and left as they were."""

from __future__ import annotations

import os
import resource
import sqlite3
import stat
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from persidict import BackendError, OutcomeUnknownError, SQLiteDict
from persidict.sqlite_connections import APPLICATION_ID, FORMAT
from tests.stores.forking import in_forked_child

if TYPE_CHECKING:
    from collections.abc import Iterator


def foreign_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE invoice (n INTEGER)")
        connection.execute("INSERT INTO invoice VALUES (1)")
        connection.commit()


def foreign_wal_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    foreign_database(path)


def another_application(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID + 1}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")
        connection.execute("CREATE TABLE t (n INTEGER)")
        connection.commit()


def newer_format(path: Path) -> None:
    SQLiteDict(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


FOREIGN: dict[str, Callable[[Path], Any]] = {
    "database": foreign_database,
    "database in WAL mode": foreign_wal_database,
    "database of another application": another_application,
    "newer format": newer_format,
    "text": lambda path: path.write_text("Dear diary,\n" * 100),
    "bytes": lambda path: path.write_bytes(b"\0" * 5_000),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_file_is_refused_and_left_as_it_was(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "items.db"
    FOREIGN[kind](path)
    before = path.read_bytes()

    for _ in range(2):
        with pytest.raises(BackendError, match=r"items\.db.*Check that the file") as error:
            SQLiteDict(path)
        assert (error.value.backend, error.value.operation) == ("SQLite", "open")
        assert isinstance(error.value.__cause__, sqlite3.Error)

    assert path.read_bytes() == before


def test_an_error_of_a_newer_format_says_so(tmp_path: Path) -> None:
    newer_format(tmp_path / "items.db")

    with pytest.raises(BackendError, match="another application or format"):
        SQLiteDict(tmp_path / "items.db")


@pytest.mark.parametrize("path", ["missing/items.db", "", "file/items.db"])
def test_what_cannot_be_a_file(tmp_path: Path, path: str) -> None:
    """In a folder that is missing, a folder itself, in what is no folder."""
    (tmp_path / "file").write_text("")

    with pytest.raises(BackendError):
        SQLiteDict(tmp_path / path)


@pytest.mark.parametrize("name", ["a b.db", "ü.db", "?mode=ro", "%41", "file:x", "#", "'", "-"])
def test_any_name_is_that_of_a_file(tmp_path: Path, name: str) -> None:
    SQLiteDict[int](tmp_path / name)["a"] = 1

    assert SQLiteDict[int](tmp_path / name)["a"] == 1
    assert (tmp_path / name).is_file()


def test_a_relative_path_stays_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    d: SQLiteDict[int] = SQLiteDict("items.db")
    monkeypatch.chdir("/")
    d.close()
    d["a"] = 1

    assert SQLiteDict[int](tmp_path / "items.db") == {"a": 1}
    assert d.get_params()["path"] == str(tmp_path / "items.db")


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user of the machine reaches."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path
        path.chmod(0o755)


def as_a_common_user(act: Callable[[], Any]) -> Any:
    """Run it where permissions apply, also if the tests are root's."""

    def without_privileges() -> Any:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(65_534)
            os.setuid(65_534)
        return act()

    return in_forked_child(without_privileges)


def error_of(act: Callable[[], Any]) -> str:
    try:
        act()
    except BackendError as error:
        return str(error)
    return "no error"


def test_a_file_in_a_folder_that_is_read_only(public_folder: Path) -> None:
    path = public_folder / "items.db"
    public_folder.chmod(0o555)

    text = as_a_common_user(lambda: error_of(lambda: SQLiteDict(path)))

    assert "are writable" in text
    assert not path.exists()


def test_a_file_that_is_read_only(public_folder: Path) -> None:
    path = public_folder / "items.db"
    d: SQLiteDict[int] = SQLiteDict(path)
    d["a"] = 1
    d.close()
    path.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
    public_folder.chmod(0o555)
    before = path.read_bytes()

    def write() -> None:
        SQLiteDict[int](path)["a"] = 2

    text = as_a_common_user(lambda: error_of(write))

    assert "SQLite" in text
    assert "are writable" in text
    assert path.read_bytes() == before


def test_a_full_disk_is_an_error_and_changes_nothing(tmp_path: Path) -> None:
    d: SQLiteDict[Any] = SQLiteDict(tmp_path / "items.db")
    d["a"] = 1
    store: Any = d._items.store.store
    with store._connections.one() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(BackendError, match="disk is not full"):
        d["b"] = "x" * 1_000_000

    assert d == {"a": 1}
    d["a"] = 2
    assert d["a"] == 2


def test_a_full_disk_that_the_commit_meets_is_no_doubt(tmp_path: Path) -> None:
    """SQLite writes a small change only when it is committed."""
    path = tmp_path / "items.db"

    def write() -> list[tuple[str, bool]]:
        d: SQLiteDict[Any] = SQLiteDict(path)
        d["a"] = 1
        most = (tmp_path / "items.db-wal").stat().st_size + 2_000
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        errors = []
        for write in (lambda: d.setdefault("b", "x" * 9_000), lambda: d.pop("a"), d.clear):
            with pytest.raises(BackendError) as error:
                write()
            errors.append((str(error.value), isinstance(error.value, OutcomeUnknownError)))
        return errors

    for text, is_in_doubt in in_forked_child(write):
        assert "disk is not full" in text
        assert not is_in_doubt
    assert SQLiteDict[Any](path) == {"a": 1}


CALLS: dict[str, Callable[[SQLiteDict[int]], Any]] = {
    "[]": lambda d: d["a"],
    "in": lambda d: "a" in d,
    "len": len,
    "assign": lambda d: d.__setitem__("a", 2),
    "setdefault": lambda d: d.setdefault("a", 2),
    "discard": lambda d: d.discard("a"),
    "clear": lambda d: d.clear(),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("is_open", [True, False])
def test_a_file_that_was_moved_is_never_absence(tmp_path: Path, call: str, is_open: bool) -> None:
    folder, elsewhere = tmp_path / "here", tmp_path / "there"
    folder.mkdir()
    d: SQLiteDict[int] = SQLiteDict(folder / "items.db")
    d["a"] = 1
    if not is_open:
        d.close()
    folder.rename(elsewhere)

    for _ in range(2):
        with pytest.raises(BackendError, match="deleted or moved"):
            CALLS[call](d)
    folder.mkdir()
    with pytest.raises(BackendError, match="deleted or moved"):
        CALLS[call](d)

    assert list(folder.iterdir()) == []
    assert SQLiteDict[int](elsewhere / "items.db") == {"a": 1}
    folder.rmdir()
    elsewhere.rename(folder)
    assert d == {"a": 1}


def test_who_had_the_file_open_meets_the_others_in_the_one_that_took_its_place(
    tmp_path: Path,
) -> None:
    path = tmp_path / "items.db"
    old: SQLiteDict[int] = SQLiteDict(path)
    seen = old.setdefault("claim", 1), old.etag("claim")
    for file in tmp_path.iterdir():
        file.unlink()
    new: SQLiteDict[int] = SQLiteDict(path)

    assert new.setdefault("claim", 2) == 2
    assert old.setdefault("claim", 3) == 2
    assert old.etag("claim") == new.etag("claim") != seen[1]
    old["b"] = 4
    assert new == {"claim": 2, "b": 4}


def test_closing_leaves_it_usable(tmp_path: Path) -> None:
    d: SQLiteDict[int] = SQLiteDict(tmp_path / "items.db")
    d["a"] = 1
    d.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["items.db"]
    assert d["a"] == 1
    d.close()
    d.close()


def test_a_dictionary_that_is_gone_closes_its_connections(
    tmp_path: Path,
) -> None:
    d: SQLiteDict[int] = SQLiteDict(tmp_path / "items.db")
    d["a"] = 1
    part = d.get_subdict("s")
    del d
    part["b"] = 2
    assert len(list(tmp_path.iterdir())) == 3

    del part

    assert [path.name for path in tmp_path.iterdir()] == ["items.db"]


def test_a_file_that_took_anothers_place_repeats_no_etag(tmp_path: Path) -> None:
    etags = []
    for _ in range(3):
        d: SQLiteDict[int] = SQLiteDict(tmp_path / "items.db")
        d["a"] = 1
        etags.append(d.etag("a"))
        d.close()
        (tmp_path / "items.db").unlink()

    assert len(set(etags)) == 3
