"""``python -m nightflash``: the command line without its installed script."""

from nightflash.cli import main

raise SystemExit(main())
