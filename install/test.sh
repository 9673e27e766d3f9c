#!/usr/bin/env bash
# bash install/test.sh [--quick | --endurance] [PYTEST ARGUMENTS]: style, types and tests; non-zero
# when any of them fails. --quick leaves out the slow tests; --endurance runs the long tests of the
# backend instead of the others.
# Sets up NightFlash's own Python environment on the first run; commands.py does the work.
here=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd) || exit 1
. "$here/python.sh"
exec "$python" "$here/commands.py" test "$@"
