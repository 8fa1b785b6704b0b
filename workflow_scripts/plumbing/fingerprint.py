"""Fingerprints of code.

They are in the rules' `params`, so that targets become stale only if code changes that decides their numbers. Light on
purpose: the Snakefile calls this at parse time.
"""

import ast
import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

from workflow_scripts.plumbing.records import FORMAT_VERSION

PACKAGE = Path(__file__).parent.parent
PLUMBING = Path(__file__).parent.name  # decides no number; the format of its files has a version
PROGRESS = "progress"  # progress.progress: all arguments but the first are for people
WORDS = {"help", "description"}  # keyword arguments that hold text for people


def code_fingerprint(module: str, package: Path = PACKAGE) -> str:
    """A hash (16 hexadecimal digits) of the code of `module` and of the modules of `package` that it imports.

    Indirect imports count too, but the room `plumbing` does not. The syntax trees are hashed without the parts that
    decide no number: comments, docstrings, formatting, the arguments of raised exceptions, print statements, the words
    of progress bars, and the help of command lines.

    `module` is dotted, below `package`: "training.engine". Raises FileNotFoundError for an unknown module.
    """
    names = sorted(closure(module, package))
    text = "\n".join([f"format {FORMAT_VERSION}", *(f"{name}\n{_parsed(package, name)[0]}" for name in names)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def closure(module: str, package: Path = PACKAGE) -> set[str]:
    """The dotted names of the modules that code_fingerprint hashes."""
    seen, waiting = set(), [module]
    while waiting:
        name = waiting.pop()
        if name not in seen and name.split(".")[0] != PLUMBING:
            seen.add(name)
            waiting.extend(_parsed(package, name)[1])
    return seen


@functools.cache
def _parsed(package: Path, module: str) -> tuple[str, frozenset[str]]:
    """The counted part of a module's syntax tree, as text, and the modules of `package` that it imports."""
    tree = ast.parse(_file(package, module).read_text(encoding="utf-8"))
    imports: list[ast.Import | ast.ImportFrom] = []
    text = _text(tree, imports)
    imported = {name for node in imports for name in _imports(node, package.name)}
    return text, frozenset(name for name in imported if _file(package, name).is_file())


def _file(package: Path, module: str) -> Path:
    return package.joinpath(*module.split(".")).with_suffix(".py")


def _text(node: object, imports: list[ast.Import | ast.ImportFrom]) -> str:
    """A syntax tree as text, without what only people read and without empty fields, which differ between Pythons.

    Its imports are added to `imports`. One pass makes all of it, since Snakemake waits for this at every start.
    """
    kind = type(node)
    if kind is list:
        return f"[{', '.join([_text(item, imports) for item in node if not _is_dropped(item)])}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    if kind is ast.Import or kind is ast.ImportFrom:
        imports.append(node)
    changed = _without_words(node) if kind is ast.Call or kind is ast.Raise else {}
    parts = [f"'{kind.__name__}'"]
    for name in node._fields:
        value = changed[name] if name in changed else getattr(node, name, None)
        if value is not None and value != []:
            parts.append(f"('{name}', {_text(value, imports)})")
    return f"[{', '.join(parts)}]"


def _is_dropped(node: object) -> bool:
    """Whether a statement does nothing that counts: a docstring, what is printed, or pass."""
    if type(node) is not ast.Expr:
        return type(node) is ast.Pass
    called = node.value.func if isinstance(node.value, ast.Call) else None
    return isinstance(node.value, ast.Constant) or (isinstance(called, ast.Name) and called.id == "print")


def _without_words(node: ast.Call | ast.Raise) -> dict[str, object]:
    """The fields of a node that hold text for people, without it: what is raised, help, and words of progress bars."""
    if isinstance(node, ast.Raise):
        return {"exc": node.exc.func} if isinstance(node.exc, ast.Call) else {}
    if isinstance(node.func, ast.Name) and node.func.id == PROGRESS:
        return {"args": node.args[:1], "keywords": []}
    return {"keywords": [keyword for keyword in node.keywords if keyword.arg not in WORDS]} if node.keywords else {}


def _imports(node: ast.AST, package: str) -> Iterator[str]:
    """The dotted names below `package` in an import statement. Not all of them are modules."""
    if isinstance(node, ast.Import):
        dotted = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        dotted = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    else:
        return
    for name in dotted:
        top, _, below = name.partition(".")
        if top == package and below:
            yield below
