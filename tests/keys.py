"""The registry's keys in tests and benchmarks: the same in every process, so that a test reads what a server sealed."""

from pathlib import Path

from fieldapp import seals

KEYRING = seals.Keyring({1: bytes(range(32))}, bytes(32))
seals.use(KEYRING)


def write_keys(instance: Path) -> None:
    """Let a program that will start in this folder use these keys."""
    instance.mkdir(parents=True, exist_ok=True)
    (instance / "registry_keys").write_text(f"1 {KEYRING.keys[1].hex()}\nindex {KEYRING.index.hex()}\n")
