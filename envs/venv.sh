#!/bin/sh
# Makes a virtual environment with what a lock file names and nothing else. Does nothing where it is there already.
#   sh envs/venv.sh FOLDER LOCK        an environment of its own
#   sh envs/venv.sh FOLDER LOCK BASE   one that sees the packages of BASE too; nothing of it gets into BASE
# Variables: PYTHON, an interpreter; INSTALL=uv in place of pip; HASHES=no for an index with builds of its own.
set -eu
folder=$1 lock=$2 base=${3-}

# What leads Python or pip to other packages or places. The user's index, proxy and certificates stay.
unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX PIP_ROOT PIP_REQUIRE_VIRTUALENV
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1

ask() { # ask PYTHON EXPRESSION: its value, or a failure where that Python does not run
    "$1" -c "import importlib.util, sys, sysconfig; print($2)" 2> /dev/null
}

is_installed() {
    cmp -s "$lock" "$folder/installed" || return 1
    [ "$(ask "$folder/bin/python" 'importlib.util.find_spec("snakemake") is not None')" = True ] || return 1
    [ -z "${PYTHON-}" ] || [ "$(ask "$folder/bin/python" sys.version)" = "$(ask "$PYTHON" sys.version)" ]
}

find_python() { # the first Python that will do, by its path outside any environment
    if [ -n "$base" ]; then set -- "$base/bin/python"; elif [ -n "${PYTHON-}" ]; then set -- "$PYTHON"; else
        set -- python3.11 python3.12 python3.13 python3 python
    fi
    for name in "$@"; do
        "$name" -c 'import ensurepip, sys, venv; assert sys.version_info >= (3, 11); print(sys._base_executable)' \
            2> /dev/null && return
    done
    name=${PYTHON:-python3}
    found=$(ask "$name" '"Python " + sys.version.split()[0]') || found="not there"
    echo "error: $name: it is $found. Python 3.11, 3.12 or 3.13 with its module venv is needed (Debian: python3-venv)." \
        "Install it, name it (make PYTHON=/path/to/python3.12), or let uv bring one (make INSTALL=uv)." >&2
    return 1
}

if is_installed; then exit; fi
if command -v flock > /dev/null; then # two at once would remove what the other has just installed
    exec 9> "$folder.lock"
    flock 9
    if is_installed; then exit; fi
fi
if [ "${INSTALL:-pip}" = uv ]; then python=${base:+$base/bin/python} && python=${python:-${PYTHON:->=3.11,<3.14}}; else
    python=$(find_python)
fi
echo "Installing $lock into $folder with ${INSTALL:-pip} ..." >&2
rm -rf "$folder"/* "$folder"/.[!.]* # not the folder, which may be a link; what an interrupted installation left
if [ "${INSTALL:-pip}" = uv ]; then
    uv venv --quiet --allow-existing --seed --python "$python" "$folder"
else
    "$python" -m venv ${base:+--without-pip} "$folder"
fi
if [ -n "$base" ]; then # relative, so that a checkout can be moved
    "$folder/bin/python" - "$(ask "$base/bin/python" 'sysconfig.get_path("purelib")')" << 'EOF'
import os, sys, sysconfig
packages = sysconfig.get_path("purelib")
with open(os.path.join(packages, "base.pth"), "w") as file:
    file.write(os.path.relpath(sys.argv[1], packages) + "\n")
EOF
fi
if [ "${HASHES:-yes}" = no ]; then
    sed -e '/^ *--hash/d' -e 's/ *\\$//' "$lock" > "$folder/pins"
    set -- -r "$folder/pins"
else
    set -- --require-hashes -r "$lock"
fi
if [ "${INSTALL:-pip}" = uv ]; then
    uv pip install --quiet --python "$folder/bin/python" "$@"
else
    "$folder/bin/python" -m pip install --quiet "$@"
fi
cp "$lock" "$folder/installed"
