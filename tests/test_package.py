"""The distribution: what it exports, what importing it costs, and that its README is true."""

import ast
import importlib.metadata
import inspect
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import persidict
import persidict_sync
from persidict_sync import Coordinator

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_version_is_that_of_the_distribution():
    assert persidict.__version__ == importlib.metadata.version("persidict-sync")
    assert persidict_sync.__version__ == persidict.__version__


def test_everything_exported_is_there():
    assert all(hasattr(persidict, name) for name in persidict.__all__)
    assert not hasattr(persidict_sync, "Nonsense")


def test_what_is_exported_is_what_type_checkers_see():
    tree = ast.parse(Path(persidict_sync.__file__).read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    homes = {alias.name: node.module for node in imports for alias in node.names}
    for name in persidict_sync.__all__:
        home = importlib.import_module(homes[name])
        assert getattr(persidict_sync, name) is getattr(home, name)


def test_what_a_coordinator_takes_and_gives_can_be_annotated():
    methods = [each for each in vars(Coordinator).values() if inspect.isfunction(each)]
    annotations = " ".join(kind for each in methods for kind in each.__annotations__.values())
    of_others = {"Any", "BaseRetrying", "Clock", "Iterable", "KeyParts", "None", "PersiDict"}
    names = set(re.findall("[A-Z][A-Za-z]+", annotations)) - of_others - {"Self", "Unpack"}
    assert "Lease" in names
    assert names <= {*persidict_sync.__all__}


def test_what_primitives_give_can_be_annotated():
    with Coordinator("memory:") as fleet:
        value, claims = fleet.value("config"), fleet.claims("tasks")
        given = {
            "Held": fleet.lease("nightly").acquire(),
            "Holder": fleet.lease("nightly").holder(),
            "Version": value.set(1),
            "Change": value.history()[0],
            "Claim": claims.claim("a"),
            "Task": claims.get("a"),
            "Progress": claims.run(len, []),
        }
    assert {name: type(one) for name, one in given.items()} == {
        name: getattr(persidict_sync, name) for name in given
    }


@pytest.mark.parametrize(
    ("module", "names"),
    {
        "safe_chars": "SAFE_CHARS_SET SAFE_STRING_MAX_LENGTH get_safe_chars replace_unsafe_chars "
        "contains_unsafe_chars",
        "safe_str_tuple": "SafeStrTuple NonEmptySafeStrTuple",
        "safe_str_tuple_signing": "sign_safe_str_tuple unsign_safe_str_tuple",
        "jokers_and_status_flags": "KEEP_CURRENT DELETE_CURRENT Joker KeepCurrentFlag "
        "DeleteCurrentFlag ANY_ETAG ETAG_IS_THE_SAME ETAG_HAS_CHANGED ETagConditionFlag "
        "AnyETagFlag ETagIsTheSameFlag ETagHasChangedFlag ALWAYS_RETRIEVE IF_ETAG_CHANGED "
        "NEVER_RETRIEVE RetrieveValueFlag AlwaysRetrieveFlag IfETagChangedRetrieveFlag "
        "NeverRetrieveFlag ITEM_NOT_AVAILABLE VALUE_NOT_RETRIEVED ItemNotAvailableFlag "
        "ValueNotRetrievedFlag ETagValue ETagIfExists ValueType TransformingFunction "
        "OperationResult ConditionalOperationResult",
        "exceptions": "MutationPolicyError ConcurrencyConflictError BackendError "
        "OutcomeUnknownError",
        "persi_dict": "PersiDict PersiDictKey NonEmptyPersiDictKey",
        "basic_s3_dict": "BasicS3Dict",
    }.items(),
)
def test_the_contract_s_names_are_in_their_modules_and_in_the_root(module, names):
    home = importlib.import_module(f"persidict.{module}")
    for name in names.split():
        assert getattr(home, name) is getattr(persidict, name)


def test_importing_it_loads_nothing_heavy():
    heavy = {"asyncio", "boto3", "botocore", "jsonpickle", "moto", "numpy", "pandas", "tenacity"}
    script = "import sys, persidict, persidict_sync; print(*sys.modules)"
    # Without site, so that no tool's start-up hook is counted as ours.
    path = os.pathsep.join(p for p in sys.path if p)
    found = subprocess.run(
        [sys.executable, "-S", "-c", script],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not heavy & set(found.stdout.split())


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def commands():
    lines = "".join(blocks("sh")).splitlines()
    return [line.split("#")[0].strip() for line in lines if line.strip()]


# `make test` is what runs this very test.
@pytest.mark.parametrize("command", sorted(set(commands()) - {"make test"}))
def test_every_command_of_the_readme_succeeds(command):
    # The environment that the tests run in is the one that make would set up.
    environment = Path(sys.prefix)
    command = command.replace(
        "make ", f"make --old-file={environment}/.ready VENV={environment} ", 1
    )
    path = os.pathsep.join([str(environment / "bin"), os.environ["PATH"]])
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run(
        [bash, "-c", command],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("snippet", [b for b in blocks("python") if ">>>" not in b])
def test_every_test_in_the_readme_passes(pytester, snippet):
    pytester.makepyfile(snippet)
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_the_license_and_the_changelog_are_named_and_there():
    assert "MIT" in (ROOT / "LICENSE").read_text()
    assert "[Unreleased]" in (ROOT / "CHANGELOG.md").read_text()
