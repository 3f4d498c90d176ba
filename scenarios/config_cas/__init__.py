"""Services change one shared configuration; no acknowledged change is lost."""

from typing import Final

from scenarios.config_cas.audit import audit
from scenarios.config_cas.work import work
from scenarios.scenario import Scenario

CONFIG_CAS: Final = Scenario(
    name="config-cas",
    summary="services change one configuration; no acknowledged change is lost",
    story=(
        "In each heat every service changes one setting, by value.update() or "
        "value.compare_and_set(); w1 and w2 also watch."
    ),
    unsafe_story="UNSAFE: to change is to get, then set blindly: value.set({**value.get(), ...}).",
    strikes=(
        "One worker is killed and one is frozen in the midst of a change, between its read and "
        "its write or between its write and its answer;"
    ),
    program=work,
    audit=audit,
    counted="changed",
    calls_are="operations",
)
