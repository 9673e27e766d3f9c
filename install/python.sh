# Finds the Python that sets NightFlash up; read by the scripts beside it.
# Sets $python, or ends with a sentence. An existing environment keeps its Python; else it is the
# newest of the versions that pyproject.toml allows.
# NIGHTFLASH_PYTHON names an interpreter to use as it is, with no set-up (for packagers).

suits() {
    "$1" -c '
import sys
from importlib.util import find_spec
suitable = (3, 11) <= sys.version_info[:2] <= (3, 14) and find_spec("venv") and find_spec("_ssl")
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

# One that uv keeps, which may lie off the PATH.
python_of_uv() {
    command -v uv >/dev/null 2>&1 && uv python find --no-project '>=3.11,<3.15' 2>/dev/null
}

# What to type on this system for a Python that suits, beside a newer or older one.
remedy() {
    if command -v apt-get >/dev/null 2>&1; then
        for version in 3.13 3.12 3.14 3.11; do
            if apt-cache show "python$version-venv" >/dev/null 2>&1; then
                echo "sudo apt install python$version python$version-venv"
                return
            fi
        done
    elif command -v dnf >/dev/null 2>&1; then
        echo "sudo dnf install python3.12"
        return
    elif command -v zypper >/dev/null 2>&1; then
        echo "sudo zypper install python313"
        return
    elif command -v pacman >/dev/null 2>&1; then
        echo "sudo pacman -S uv; uv python install 3.13"
        return
    elif command -v brew >/dev/null 2>&1; then
        echo "brew install python@3.13"
        return
    fi
    echo "uv python install 3.13 (the program uv is to be had with pip or pipx)"
}

python=
if [ -n "${NIGHTFLASH_PYTHON:-}" ]; then
    if ! suits "$NIGHTFLASH_PYTHON"; then
        echo "NightFlash: NIGHTFLASH_PYTHON is '$NIGHTFLASH_PYTHON', which is no working" \
            "Python 3.11 to 3.14." >&2
        exit 1
    fi
    python=$NIGHTFLASH_PYTHON
else
    # A version manager's shim may be on the PATH with nothing behind it: only a run shows it.
    for candidate in "$(known_python)" python3.14 python3.13 python3.12 python3.11 python3 python \
        "$(python_of_uv)"; do
        if command -v "$candidate" >/dev/null 2>&1 && suits "$candidate"; then
            python=$candidate
            break
        fi
    done
fi
if [ -z "$python" ]; then
    echo "NightFlash: no Python 3.11 to 3.14 was found. Type: $(remedy)," \
        "then start this again." >&2
    exit 1
fi
