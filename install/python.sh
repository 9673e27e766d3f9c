# Finds the Python that sets NightFlash up; read by the scripts beside it.
# Sets $python, or ends with a sentence. An existing environment keeps its Python; else it is the
# newest of the versions that pyproject.toml allows.
# NIGHTFLASH_PYTHON names an interpreter to use as it is, with no set-up (for packagers).

suits() {
    "$1" -c '
import sys
from importlib.util import find_spec
suitable = (3, 11) <= sys.version_info[:2] <= (3, 13) and find_spec("venv") and find_spec("_ssl")
raise SystemExit(not suitable)' </dev/null >/dev/null 2>&1
}

# The interpreter that the environment in the data folder was made with.
known_python() {
    home=${NIGHTFLASH_HOME:-}
    if [ -z "$home" ]; then
        case $(uname) in
            Darwin) home=$HOME/Library/Application\ Support/nightflash ;;
            *) home=${XDG_DATA_HOME:-$HOME/.local/share}/nightflash ;;
        esac
    fi
    sed -n 's/^executable = //p' "$home/environment/pyvenv.cfg" 2>/dev/null
}

python=
if [ -n "${NIGHTFLASH_PYTHON:-}" ]; then
    if ! suits "$NIGHTFLASH_PYTHON"; then
        echo "NightFlash: NIGHTFLASH_PYTHON is '$NIGHTFLASH_PYTHON', which is no working" \
            "Python 3.11, 3.12 or 3.13." >&2
        exit 1
    fi
    python=$NIGHTFLASH_PYTHON
else
    # A version manager's shim may be on the PATH with nothing behind it: only a run tells.
    for candidate in "$(known_python)" python3.13 python3.12 python3.11 python3 python; do
        if command -v "$candidate" >/dev/null 2>&1 && suits "$candidate"; then
            python=$candidate
            break
        fi
    done
fi
if [ -z "$python" ]; then
    echo "NightFlash: no Python 3.11, 3.12 or 3.13 was found. Install one (Debian and Ubuntu:" \
        "sudo apt install python3 python3-venv; macOS: brew install python@3.13)," \
        "then start this again." >&2
    exit 1
fi
