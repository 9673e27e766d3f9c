"""Networks that come while a backend runs."""

from __future__ import annotations

from pathlib import Path

from tests.server.backend import a_place, until


def test_an_idle_backend_makes_way_for_one_with_the_new_networks(
    shared: Path, tmp_path: Path
) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    fetch = ("models", "download", "tcmonodepth_small", "--weights", str(weights))
    with a_place("--weights", str(weights), "--device", "cpu") as place:
        with place.client() as client:
            client.connect()
        before = place.pid()
        result = place.command(*fetch, "--from", str(shared / "weights"))
        assert result.returncode == 0, result.stderr
        assert "The backend was ended" in result.stdout
        with place.client() as client:
            client.connect()
            networks = {}
            for _ in until(60):
                networks = client.ask("status")["networks"]
                if networks:
                    break
        assert place.pid() != before
        assert networks["depth"] == "tcmonodepth_small"
        assert "The backend" not in place.command(*fetch).stdout  # it was there already
