"""Plugins: a module with the constant TOOLS or SOURCES, found in the home's folder or installed as a package.

What a plugin may do is read from its text before any of it runs: the constants must be written out. Our own sources
come in by the same door. A plugin that breaks a rule is left out whole, with its name and the reason.
"""

import ast
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.machinery import ModuleSpec
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, cast, get_args

from workflows.rules.text.canonical import one_line
from workflows.rules.text.spans import parse_span

Permission = Literal["read", "write", "send"]
Origin = Literal["own", "package", "folder"]

GROUP = "deskhand.tools"
"""The entry-point group of packages; the value is the name of the module."""
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)
OWN = Path(__file__).parent / "sources"
_LONGEST = 200
_FETCH_ARGUMENTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One function an agent may call (`read`) or propose (`write`, `send`)."""

    name: str
    permission: Permission
    plugin: str
    function: Callable[..., Any]
    says: str  # the first line of its docstring


@dataclass(frozen=True, slots=True, kw_only=True)
class PostSource:
    """One way to fetch job posts: `fetch(state, get)` gives (items, next state), plain or async (docs/leads.md)."""

    name: str
    plugin: str
    fetch: Callable[..., Any]
    says: str
    every: timedelta = timedelta()  # asked at most so often, whatever the settings say


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a plugin says of itself, read without running it. `fault`: why it is refused, "" when it is not."""

    plugin: str
    origin: Origin
    path: str
    tools: Mapping[Permission, tuple[str, ...]] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    says: Mapping[str, str] = field(default_factory=dict)  # function -> the first line of its docstring
    every: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedPlugin:
    """A plugin that was left out, and why, in one plain sentence with the mend."""

    plugin: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugins:
    """Everything that was loaded, by name."""

    tools: Mapping[str, Tool]
    sources: Mapping[str, PostSource]
    refused: tuple[RefusedPlugin, ...] = ()

    def of(self, permission: Permission) -> tuple[Tool, ...]:
        """The tools with this permission."""
        return tuple(tool for tool in self.tools.values() if tool.permission == permission)


class _Broken(Exception):
    """Why a plugin is refused."""


# ---------------------------------------------------------------- finding and reading


def declared(folder: Path | None = None) -> tuple[Declared, ...]:
    """Every plugin there is, read and not run: our own, those of packages, those of the folder; each by name."""
    return (*(_read(path.stem, "own", path) for path in _modules(OWN)), *foreign(folder))


def foreign(folder: Path | None = None) -> tuple[Declared, ...]:
    """The plugins that are not our own, read and not run."""
    packages = (_installed(point.name, point.value) for point in sorted(entry_points(group=GROUP)))
    return (*packages, *(_read(path.stem, "folder", path) for path in _modules(folder)))


def _modules(folder: Path | None) -> Iterator[Path]:
    if folder is None or not folder.is_dir():
        return
    yield from sorted(path for path in folder.glob("*.py") if not path.stem.startswith("_"))


def _installed(name: str, module: str) -> Declared:
    path = _origin(module.partition(":")[0])
    if path is None:
        fault = f"its module {one_line(module, _LONGEST)} is not installed; install the package anew or remove it."
        return Declared(plugin=name, origin="package", path=module, fault=fault)
    return _read(name, "package", path, module)


def _origin(module: str) -> Path | None:
    """Where a module's text lies, found without running the packages above it."""
    first, *tail = module.split(".")
    try:
        spec: ModuleSpec | None = importlib.util.find_spec(first)
    except (ImportError, ValueError):
        return None
    if spec is None or not tail:
        return Path(spec.origin) if spec and spec.origin else None
    for folder in spec.submodule_search_locations or ():
        base = Path(folder).joinpath(*tail)
        for path in (base.with_name(f"{base.name}.py"), base / "__init__.py"):
            if path.is_file():
                return path
    return None


def _read(name: str, origin: Origin, path: Path, module: str = "") -> Declared:
    place = module or str(path)
    try:
        tree = ast.parse(path.read_bytes())
        tools, sources, every = _constants(tree)
        functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        for tool in (tool_name for names in tools.values() for tool_name in names):
            _check_text(tool, functions)
        summaries = {name: _first_line(ast.get_docstring(node)) for name, node in functions.items()}
    except _Broken as broken:
        return Declared(plugin=name, origin=origin, path=place, fault=str(broken))
    except SyntaxError as error:
        fault = f"it is not Python: {error.msg} in line {error.lineno}. Correct that line."
        return Declared(plugin=name, origin=origin, path=place, fault=fault)
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        return Declared(plugin=name, origin=origin, path=place, fault=f"it cannot be read: {error}.")
    return Declared(plugin=name, origin=origin, path=place, tools=tools, sources=sources, says=summaries, every=every)


def _constants(tree: ast.Module) -> tuple[dict[Permission, tuple[str, ...]], tuple[str, ...], str]:
    constants = {name: value for node in tree.body for name, value in _assigned(node)}
    if not {"TOOLS", "SOURCES"} & constants.keys():
        raise _Broken(
            'it has neither TOOLS nor SOURCES. Add one, for example TOOLS = {"read": [name_of_the_function]}.'
        )
    tools = _tools(constants["TOOLS"]) if "TOOLS" in constants else {}
    sources = _names(constants["SOURCES"], "SOURCES") if "SOURCES" in constants else ()
    every = constants.get("EVERY")
    if every is None:
        return tools, sources, ""
    if not isinstance(every, ast.Constant) or not isinstance(every.value, str) or parse_span(every.value) is None:
        raise _Broken('its EVERY must be a time span such as "1h".')
    return tools, sources, every.value


def _assigned(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        if isinstance(target, ast.Name):
            yield target.id, node.value


def _tools(node: ast.expr) -> dict[Permission, tuple[str, ...]]:
    if not isinstance(node, ast.Dict):
        raise _Broken('its TOOLS must be written out as a dict, {"read": [...], "write": [...], "send": [...]}.')
    tools: dict[Permission, tuple[str, ...]] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        permission = key.value if isinstance(key, ast.Constant) else None
        if permission not in PERMISSIONS:
            permission_text = one_line(str(permission), 40) if permission is not None else "one that is computed"
            raise _Broken(f'it states the permission "{permission_text}". The permissions are read, write and send.')
        tools[permission] = _names(value, f'TOOLS["{permission}"]')
    return tools


def _names(node: ast.expr, where: str) -> tuple[str, ...]:
    if not isinstance(node, ast.List | ast.Tuple) or not all(isinstance(element, ast.Name) for element in node.elts):
        raise _Broken(f"its {where} must be a list of names of functions, written out.")
    return tuple(element.id for element in node.elts if isinstance(element, ast.Name))


def _check_text(tool: str, functions: Mapping[str, ast.FunctionDef | ast.AsyncFunctionDef]) -> None:
    """What can be said of a tool before it runs; one that is imported is looked at afterwards."""
    node = functions.get(tool)
    if node is None:
        return
    if not ast.get_docstring(node):
        raise _Broken(f"its tool {tool} has no docstring. Say in one what it does: agents choose by it.")
    arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg)
    untyped = next((argument.arg for argument in arguments if argument is not None and argument.annotation is None), "")
    if untyped:
        raise _Broken(
            f"its tool {tool} has the argument {untyped} without a type. Write {untyped}: str, or what it is."
        )


def _first_line(text: str | None) -> str:
    return one_line((text or "").strip().split("\n", 1)[0], _LONGEST)


# ---------------------------------------------------------------- loading


def load(folder: Path | None = None) -> Plugins:
    """Run every plugin and give what it offers; one that is refused or breaks is left out with its reason."""
    tools: dict[str, Tool] = {}
    sources: dict[str, PostSource] = {}
    refused = []
    for declaration in declared(folder):
        try:
            offered, fetched = _run(declaration)
            _refuse_twice(declaration, [(tool.name, "tool", tools) for tool in offered])
            _refuse_twice(declaration, [(source.name, "source", sources) for source in fetched])
        except _Broken as broken:
            refused.append(
                RefusedPlugin(
                    plugin=declaration.plugin, reason=f"The plugin {declaration.plugin} is left out: {broken}"
                )
            )
            continue
        tools |= {tool.name: tool for tool in offered}
        sources |= {source.name: source for source in fetched}
    return Plugins(tools=tools, sources=sources, refused=tuple(refused))


def _run(one: Declared) -> tuple[list[Tool], list[PostSource]]:
    if one.fault:
        raise _Broken(one.fault)
    module = _import(one)
    tools = [_tool(module, one, permission, name) for permission, names in one.tools.items() for name in names]
    declared_tools = {key: [getattr(module, name, None) for name in names] for key, names in one.tools.items()}
    if {key: list(value) for key, value in dict(getattr(module, "TOOLS", {})).items()} != declared_tools:
        raise _Broken("it changes its TOOLS while it is loaded. Write them out once.")
    return tools, [_source(module, one, name) for name in one.sources]


def _import(one: Declared) -> ModuleType:
    try:
        if one.origin == "own":
            return importlib.import_module(f"tools.sources.{one.plugin}")
        if one.origin == "package":
            return importlib.import_module(one.path.partition(":")[0])
        return _import_file(f"deskhand_plugin_{one.plugin}", Path(one.path))
    except (Exception, SystemExit) as error:
        problem = one_line(f"{type(error).__name__}: {error}", _LONGEST)
        raise _Broken(f"it breaks when it is loaded ({problem}). Correct it, or take it out of the folder.") from error


def _import_file(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and typing look a module up by its name
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _tool(module: ModuleType, one: Declared, permission: Permission, name: str) -> Tool:
    function = _function(module, name)
    if not inspect.getdoc(function):
        raise _Broken(f"its tool {name} has no docstring. Say in one what it does: agents choose by it.")
    for argument in inspect.signature(function).parameters.values():
        if argument.annotation is argument.empty:
            raise _Broken(f"its tool {name} has the argument {argument.name} without a type. Give it one.")
    summary = _first_line(inspect.getdoc(function))
    return Tool(name=name, permission=permission, plugin=one.plugin, function=function, says=summary)


def _source(module: ModuleType, one: Declared, name: str) -> PostSource:
    function = _function(module, name)
    parameters = [
        argument
        for argument in inspect.signature(function).parameters.values()
        if argument.kind in {argument.POSITIONAL_ONLY, argument.POSITIONAL_OR_KEYWORD}
    ]
    if len(parameters) != _FETCH_ARGUMENTS:
        raise _Broken(f"its source {name} must take two arguments: def {name}(state: dict, get).")
    summary = _first_line(inspect.getdoc(function)) or _first_line(module.__doc__)
    every = parse_span(one.every) or timedelta()
    return PostSource(name=source_name(one.plugin, name), plugin=one.plugin, fetch=function, says=summary, every=every)


def source_name(plugin: str, function: str) -> str:
    """What settings call a source: a function named fetch is its plugin's one source."""
    return plugin if function == "fetch" else function


def _function(module: ModuleType, name: str) -> Callable[..., Any]:
    function = getattr(module, name, None)
    if not callable(function) or isinstance(function, type):
        raise _Broken(f"it names {name}, which is no function in it.")
    return cast("Callable[..., Any]", function)


def _refuse_twice(one: Declared, names: Sequence[tuple[str, str, Mapping[str, Any]]]) -> None:
    own_names: set[str] = set()
    for name, kind, registry in names:
        holder = registry[name].plugin if name in registry else one.plugin if name in own_names else ""
        if holder:
            raise _Broken(f"its {kind} {name} has a name that {holder} has taken. Give it another.")
        own_names.add(name)
