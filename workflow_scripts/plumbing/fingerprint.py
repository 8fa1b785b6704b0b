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
    tree = _WordsDropped().visit(ast.parse(_file(package, module).read_text(encoding="utf-8")))
    imported = {name for node in ast.walk(tree) for name in _imports(node, package.name)}
    return repr(_structure(tree)), frozenset(name for name in imported if _file(package, name).is_file())


def _file(package: Path, module: str) -> Path:
    return package.joinpath(*module.split(".")).with_suffix(".py")


class _WordsDropped(ast.NodeTransformer):
    """Removes from a syntax tree what only people read."""

    def visit_Raise(self, node: ast.Raise) -> ast.Raise:
        if isinstance(node.exc, ast.Call):
            node.exc = node.exc.func
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | ast.Pass:
        if isinstance(node.value, ast.Constant):  # a docstring
            return ast.Pass()
        called = node.value.func if isinstance(node.value, ast.Call) else None
        printed = isinstance(called, ast.Name) and called.id == "print"
        return ast.Pass() if printed else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.keywords = [keyword for keyword in node.keywords if keyword.arg not in WORDS]
        if isinstance(node.func, ast.Name) and node.func.id == PROGRESS:
            node.args, node.keywords = node.args[:1], []
        return self.generic_visit(node)


def _structure(node: object) -> object:
    """A syntax tree as nested lists, without empty fields, which differ between versions of Python."""
    if isinstance(node, ast.AST):
        fields = [(name, value) for name, value in ast.iter_fields(node) if value is not None and value != []]
        return [type(node).__name__, *((name, _structure(value)) for name, value in fields)]
    if isinstance(node, list):
        return [_structure(item) for item in node if not isinstance(item, ast.Pass)]
    return node


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
