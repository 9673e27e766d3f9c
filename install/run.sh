#!/usr/bin/env bash
# bash install/run.sh [PHOTO [OUT [OPTIONS]]]: the photo as taken at night with a flash.
# Sets up NightFlash's own Python environment on the first run; commands.py does the work.
here=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd) || exit 1
. "$here/python.sh"
exec "$python" "$here/commands.py" run "$@"
