"""A daemon that is killed again and again loses nothing of what it had to tell."""

import random
import time
from pathlib import Path

from receivers import SECRET, Receiver, lines, told
from running import Daemon, Site, until
from webserver import Web

KILLS = 6
CHANGES = 60


def test_kills_lose_no_notification_on_any_channel(tmp_path: Path) -> None:
    """`python -m bench kills` does the same with a hundred kills and a thousand changes."""
    dice = random.Random(7)
    with Web() as web:
        hook = Receiver(web)
        program = tmp_path / "program.jsonl"
        site = Site(
            tmp_path,
            source="watch = true",
            more=f'[notify.web]\ntype = "webhook"\nurl = "{hook.url}"\nsecret = "{SECRET}"\n'
            '[notify.lines]\ntype = "file"\npath = "lines.jsonl"\n'
            f'[notify.program]\ntype = "command"\ncommand = ["tee", "-a", "{program}"]\n',
        )
        site.seed("first.md")
        site.feedd("update")
        for turn in range(KILLS):
            daemon = Daemon(site)
            for number in range(CHANGES // KILLS):  # a third of them are edits of what is there
                name = f"{(turn * CHANGES // KILLS + number) * 2 // 3}.md"
                site.seed(name, f"Title {name}", f"<p>Seen {turn * 7919 + number} times.</p>")
            time.sleep(dice.uniform(0.3, 1.6))
            daemon.kill()
        with site.running():
            expected = until(lambda: finished(site))
        assert told(hook.got) == expected
        assert told(lines((tmp_path / "lines.jsonl").read_text())) == expected
        assert told(lines(program.read_text())) == expected


def finished(site: Site) -> list[int]:
    """All changes that are to be told, once a look has found every file and nothing waits."""
    reader = site.open_reader()
    try:
        stands = {title for (title,) in reader.rows("SELECT title FROM entries")}
        files = {f"Title {path.name}" for path in site.seeds.glob("[0-9]*.md")}
        ((waiting,),) = reader.rows("SELECT count(*) FROM deliveries WHERE status != 'delivered'")
        ((looked,),) = reader.rows("SELECT count(*) FROM sources WHERE listing IS NOT NULL")
        changes = [number for (number,) in reader.rows("SELECT id FROM changes WHERE NOT silent ORDER BY id")]
        return changes if files <= stands and not waiting and looked else []
    finally:
        reader.close()
