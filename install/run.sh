#!/usr/bin/env bash
# bash install/run.sh [PHOTO [OUT [OPTIONS]]]: the photo as taken at night with a flash.
# The first run makes NightFlash's own Python environment and fetches networks;
# commands.py does the work.
here=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd) || exit 1
. "$here/python.sh"
exec "$python" "$here/commands.py" run "$@"
