"""Fingerprints of code: what a rule's `params` hold so that a change of meaning, and only that, makes targets stale.

Light on purpose: the Snakefile calls this at parse time.
"""

import ast
import functools
import hashlib
from pathlib import Path

PACKAGE = Path(__file__).parent


def code_fingerprint(module: str, package: Path = PACKAGE) -> str:
    """A hash (16 hexadecimal digits) of `module` and of all modules of `package` that it imports, directly or not.

    Comments, docstrings and formatting do not count: the syntax trees are hashed, not the text.
    `module` is a bare name such as "train". Raises FileNotFoundError if there is no such module.
    """
    seen: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen[name], imported = _tree_and_imports(package / f"{name}.py")
            waiting.extend(imported)
    text = "\n".join(f"{name}\n{seen[name]}" for name in sorted(seen))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@functools.cache
def _tree_and_imports(path: Path) -> tuple[str, frozenset[str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        _drop_docstring(node)
    candidates = {name for node in ast.walk(tree) for name in _project_imports(node, path.parent.name)}
    imported = frozenset(name for name in candidates if (path.parent / f"{name}.py").exists())
    return repr(_structure(tree)), imported


def _structure(node: object) -> object:
    """A syntax tree as nested lists without empty fields, which differ between versions of Python."""
    if isinstance(node, ast.AST):
        fields = [(name, value) for name, value in ast.iter_fields(node) if value is not None and value != []]
        return [type(node).__name__, *((name, _structure(value)) for name, value in fields)]
    return [_structure(item) for item in node] if isinstance(node, list) else node


def _drop_docstring(node: ast.AST) -> None:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
        node.body = node.body[1:] or [ast.Pass()]


def _project_imports(node: ast.AST, package: str) -> set[str]:
    """Names directly below `package` that an import statement mentions (modules, or names that are filtered later)."""
    if isinstance(node, ast.Import):
        dotted = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        dotted = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    else:
        return set()
    return {parts[1] for parts in (name.split(".") for name in dotted) if len(parts) > 1 and parts[0] == package}
