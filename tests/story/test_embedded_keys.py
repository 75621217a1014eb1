import json

from desk.local.keys import load_keys


def test_an_older_folder_keeps_its_keys_and_gets_the_newer_ones(tmp_path):
    path = tmp_path / "keys.json"
    load_keys(tmp_path)
    before = json.loads(path.read_text())
    del before["receipt_private"]
    path.write_text(json.dumps(before))

    load_keys(tmp_path)

    after = json.loads(path.read_text())
    assert "PRIVATE KEY" in after.pop("receipt_private")
    assert after == before
    assert path.stat().st_mode & 0o077 == 0


def test_keys_do_not_change(tmp_path):
    assert load_keys(tmp_path) == load_keys(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["keys.json"]
