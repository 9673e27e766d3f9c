#!/usr/bin/env bash
# bash install/gimp.sh [--download SET | --uninstall [--everything]]:
# puts the plug-in into every GIMP 3 of this user, or removes it.
# The first run makes NightFlash's own Python environment and fetches networks;
# gimp.py does the work.
here=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd) || exit 1
. "$here/python.sh"
exec "$python" "$here/gimp.py" "$@"
