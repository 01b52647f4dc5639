"""Adjusting a library once, right after the cell imports it; nobody pays for libraries that are not used."""

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

Action = Callable[[ModuleType], None]


class _Finder(MetaPathFinder):
    def __init__(self, actions: dict[str, Action]) -> None:
        self._actions = actions

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        action = self._actions.pop(fullname, None)
        if action is None:
            return None
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, action)
        return spec


class _Loader(Loader):
    def __init__(self, loader: Any, action: Action) -> None:
        self._loader = loader
        self._action = action

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        try:
            self._action(module)
        except Exception as problem:
            print(f"[plotline could not adjust {module.__name__}: {problem}]", file=sys.stderr)


def after_import(actions: dict[str, Action]) -> None:
    """Runs each action when its module is imported the first time; at once for modules that are there already."""
    pending = dict(actions)
    for name in list(pending):
        if name in sys.modules:
            pending.pop(name)(sys.modules[name])
    sys.meta_path.insert(0, _Finder(pending))
