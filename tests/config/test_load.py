import re
from datetime import date, datetime, time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from feedd.config.load import Loader, find, load
from feedd.config.settings import Config
from feedd.config.sources import CommandSource, DirectorySource, FeedSource
from feedd.config.values import Listen
from feedd.errors import ConfigError

SOURCE = '[sources.rfi]\ntype = "directory"\npath = "seeds"\n'


def mistakes_of(folder: Path, toml: str, name: str = "config.toml") -> list[str]:
    """All that is wrong, with the folder left out of the files' names."""
    path = folder / name
    path.write_text(toml, encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load(path)
    return [mistake.replace(f"{folder}/", "") for mistake in raised.value.mistakes]


def loaded(folder: Path, toml: str) -> Config:
    path = folder / "config.toml"
    path.write_text(toml, encoding="utf-8")
    return load(path)


def source_of(folder: Path, toml: str) -> DirectorySource:
    (source,) = loaded(folder, toml).sources
    assert isinstance(source, DirectorySource)
    return source


def test_an_empty_file_is_a_configuration(tmp_path: Path) -> None:
    config = loaded(tmp_path, "")
    assert config.server.listen == Listen("127.0.0.1", 8080)
    assert config.server.public_url == "http://127.0.0.1:8080/"
    assert config.store.path == tmp_path / "feedd.db"
    assert (config.sources, config.feeds) == ((), ())


@pytest.mark.parametrize(
    ("toml", "mistake"),
    [
        (SOURCE + 'every = "5x"', "sources.rfi.every: '5x' is not a duration; write 30s, 10m, 1h or 1d"),
        (SOURCE + "every = 5", "sources.rfi.every: 5 is not a duration; write 30s, 10m, 1h or 1d"),
        (SOURCE + 'every = "0s"', "sources.rfi.every: '0s' is not a duration; write 30s, 10m, 1h or 1d"),
        (
            '[fetch]\nhost_interval = ["1s"]',
            "fetch.host_interval: ['1s'] is not a duration; write 30s, 10m, 1h or 1d",
        ),
        (SOURCE + "wach = true", "sources.rfi.wach: unknown key; did you mean 'watch'?"),
        (SOURCE + 'watch = "yes"', "sources.rfi.watch: 'yes' is not true or false"),
        (SOURCE + "title = 5", "sources.rfi.title: 5 is not a text in quotes"),
        (SOURCE + 'priority = "1"', "sources.rfi.priority: '1' is not a whole number"),
        (SOURCE + "priority = true", "sources.rfi.priority: True is not a whole number"),
        (SOURCE + 'tags = "zh"', "sources.rfi.tags: 'zh' is not a list"),
        (SOURCE + "tags = [5]", "sources.rfi.tags.0: 5 is not a text in quotes"),
        (SOURCE + 'name = "x"', "sources.rfi.name: unknown key; the name stands in the table's heading"),
        (SOURCE + 'include = ["../*"]', "is not a pattern below the folder; write one such as **/*.txt"),
        (SOURCE + 'encoding = "utf-99"', "is not an encoding that is known here; write one such as gb18030"),
        (SOURCE + 'timezone = "Paris"', "'Paris' is not a time zone; write one such as Europe/Paris or UTC"),
        (SOURCE + 'cron = "* * *"', "'* * *' is not a cron expression; write five fields, such as 0 * * * *"),
        (SOURCE + 'cron = "61 * * * *"', "sources.rfi.cron: '61 * * * *' is not a cron expression: "),
        (SOURCE + 'language = "中文"', "'中文' is not a language tag; write one such as zh, en or fr-CA"),
        ('[sources.rfi]\ntype = "directory"', "sources.rfi.path: is missing"),
        ('[sources.rfi]\npath = "seeds"', "sources.rfi.type: is missing"),
        ('[sources.rfi]\ntype = "feeed"\npath = "x"', "sources.rfi.type: 'feeed' is not a type of source"),
        ('[sources.rfi]\ntype = "directory"\npath = ""', "sources.rfi.path: '' is not a path"),
        ('[sources.rfi]\ntype = "directory"\npath = "~nobody-of-that-name/x"', "is not a path"),
        ("[sources]\nrfi = 5", "sources.rfi: 5 is not a table; write [sources.NAME]"),
        ('[sources.Rfi]\ntype = "directory"\npath = "x"', "sources.Rfi: 'Rfi' is not a name; write small"),
        ('[sources.all]\ntype = "directory"\npath = "x"', "'all' is the name of a feed that is always there"),
        ("sources = 5", "sources: 5 is not a table; write [sources]"),
        ("sorces = 5", "sorces: unknown key; did you mean 'sources'?"),
        (
            "[zzz]",
            "zzz: unknown key; known here: include, server, store, defaults, fetch, websub, publish, cluster, sources, feeds, notify, archive",
        ),
        ('[server]\nlisten = "8080"', "server.listen: '8080' is not an address; write one such as 127.0.0.1"),
        ('[server]\nlisten = "127.0.0.1:99999"', "'127.0.0.1:99999' is not an address"),
        ('[server]\nlisten = "127.0.0.1:0"', "'127.0.0.1:0' is not an address"),
        ('[server]\nlisten = "unix:relative"', "'unix:relative' is not an address"),
        ('[server]\nlisten = "0.0.0.0:8080"', "server.base_url: is required for a unix socket or a wildcard"),
        ('[server]\nlisten = "[::]:8080"', "server.base_url: is required for a unix socket or a wildcard"),
        ('[server]\nlisten = "[0::0]:8080"', "server.base_url: is required for a unix socket or a wildcard"),
        ('[server]\nlisten = ":8080"', "server.base_url: is required for a unix socket or a wildcard"),
        ('[server]\nlisten = "unix:/run/x.sock"', "server.base_url: is required for a unix socket or a"),
        ('[server]\nbase_url = "feeds.example.org"', "'feeds.example.org' is not a base address; write one"),
        ('[server]\nbase_url = "https://example.org/?a=1"', "is not a base address"),
        ('[server]\nbase_url = "https://exa\\u0001mple.org/"', "is not a base address"),
        ('[server]\nbase_url = "https://[::1/"', "is not a base address"),
        ("[server]\nbase_url = 5", "server.base_url: 5 is not a text in quotes"),
        ("[store]\npath = 5", "store.path: 5 is not a path"),
        ('[defaults]\nevery = "x"', "defaults.every: 'x' is not a duration"),
        ('[defaults]\npath = "x"', "defaults.path: unknown key"),
        ("[feeds.a]\nlimit = 0", "feeds.a.limit: 0 is out of bounds: should be greater than or equal to 1"),
        ("[feeds.a]\nlimit = 1001", "feeds.a.limit: 1001 is out of bounds: should be less than or equal to"),
        ('[feeds.a]\ncontent = "all"', "feeds.a.content: 'all' is not one of 'full' or 'summary'"),
        (
            '[feeds.a]\nmatch = { title = "(" }',
            "feeds.a.match.title: '(' is not a regular expression: missing )",
        ),
        ('[feeds.a]\nmatch = { titel = "x" }', "feeds.a.match.titel: unknown key"),
        ('[feeds.a]\nmatch = "x"', "feeds.a.match: 'x' is not a table"),
        (
            '[feeds.a]\nsources = ["rfx"]\n' + SOURCE,
            "feeds.a.sources: 'rfx' is no source; did you mean 'rfi'?",
        ),
        ('[feeds.a]\nsources = ["tag:zh"]\n' + SOURCE, "feeds.a.sources: 'tag:zh' is no tag of any source"),
        ('[feeds.rfi]\nsources = ["all"]\n' + SOURCE, "feeds.rfi.sources: the feed of a source shows that"),
        (
            '[feeds.all]\nsources = ["rfi"]\n' + SOURCE,
            "feeds.all.sources: the feed 'all' is over all sources",
        ),
        ("include = 5", "include: 5 is not a list of paths"),
        ('include = ["/etc/*.toml"]', "include: '/etc/*.toml' is not a path relative to this file"),
        (f'include = ["{"a" * 5000}"]', "include: there is no file"),
    ],
)
def test_a_mistake_is_named_with_file_and_key(tmp_path: Path, toml: str, mistake: str) -> None:
    (found,) = mistakes_of(tmp_path, toml)
    assert found.startswith("config.toml: ")
    assert mistake in found


def test_the_message_of_the_contract(tmp_path: Path) -> None:
    (found,) = mistakes_of(tmp_path, SOURCE + 'every = "5x"')
    assert found == "config.toml: sources.rfi.every: '5x' is not a duration; write 30s, 10m, 1h or 1d"


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    (tmp_path / "more.toml").write_text('[sources.two]\ntype = "directory"\npath = "x"\nevery = "often"\n')
    (tmp_path / "other.toml").write_text("[server]\n")
    found = mistakes_of(
        tmp_path,
        'include = ["more.toml", "other.toml"]\nsurplus = 1\n[server]\nlisten = "x"\n[store]\npath = 1\n'
        '[defaults]\nevery = 1\n[sources.rfi]\ntype = "directory"\nwatch = 1\n[feeds.A]\n[feeds.b]\nlimit = 0\n',
    )
    keys = [mistake.split(": ")[1] for mistake in found]
    assert sorted(keys) == sorted(
        ["surplus", "server", "server.listen", "store.path", "defaults.every", "sources.rfi.path"]
        + ["sources.rfi.watch", "sources.two.every", "feeds.A", "feeds.b.limit"]
    )
    assert {mistake.split(": ")[0] for mistake in found} == {"config.toml", "more.toml", "other.toml"}


def test_a_mistake_in_the_defaults_is_told_once(tmp_path: Path) -> None:
    two = SOURCE + SOURCE.replace("rfi", "bbc")
    assert len(mistakes_of(tmp_path, f'[defaults]\nevery = "x"\n{two}')) == 1


def test_a_mistake_in_a_source_makes_no_other_of_a_feed_over_its_tag(tmp_path: Path) -> None:
    toml = f'{SOURCE}tags = ["zh"]\nevery = "x"\n[feeds.a]\nsources = ["rfi", "tag:zh"]\n'
    (found,) = mistakes_of(tmp_path, toml)
    assert "sources.rfi.every" in found


def test_a_file_that_is_no_toml(tmp_path: Path) -> None:
    (found,) = mistakes_of(tmp_path, "[server\n")
    assert re.match(r"config.toml: is not valid TOML: .*line 1", found)


@pytest.mark.parametrize("value", ["[" * 20_000, "9" * 10_000], ids=["deep", "long"])
def test_what_python_can_not_hold_is_no_toml(tmp_path: Path, value: str) -> None:
    (found,) = mistakes_of(tmp_path, f"a = {value}")
    assert found.startswith("config.toml: is not valid TOML")


def test_a_key_twice_is_no_toml(tmp_path: Path) -> None:
    (found,) = mistakes_of(tmp_path, SOURCE + SOURCE)
    assert found.startswith("config.toml: is not valid TOML")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read: No such file or directory"):
        load(tmp_path / "config.toml")
    with pytest.raises(ConfigError, match="can't be read: Is a directory"):
        load(tmp_path)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SOURCE.encode())
    assert load(path).sources[0].name == "rfi"


def test_included_files(tmp_path: Path) -> None:
    folder = tmp_path / "sources.d"
    folder.mkdir()
    (folder / "b.toml").write_text(SOURCE.replace("rfi", "b"))
    (folder / "a.toml").write_text(SOURCE.replace("rfi", "a") + '[feeds.both]\nsources = ["a", "b"]\n')
    (folder / "not.txt").write_text("no TOML at all")
    config = loaded(tmp_path, 'include = ["sources.d/*.toml"]\n' + SOURCE)
    assert [source.name for source in config.sources] == ["rfi", "a", "b"]
    assert [feed.sources for feed in config.feeds] == [("a", "b")]
    assert {source.location for source in config.sources} == {str(tmp_path / "seeds")}


def test_a_file_that_two_patterns_name_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "more.toml").write_text(SOURCE)
    config = loaded(tmp_path, 'include = ["more.toml", "m*.toml"]\n')
    assert [source.name for source in config.sources] == ["rfi"]


@pytest.mark.parametrize("section", ["sources", "feeds"])
def test_a_name_twice_over_files(tmp_path: Path, section: str) -> None:
    table = SOURCE if section == "sources" else "[feeds.rfi]\n"
    (tmp_path / "more.toml").write_text(table)
    (found,) = mistakes_of(tmp_path, f'include = ["more.toml"]\n{table}')
    assert found == f"more.toml: {section}.rfi: the name is taken already in config.toml"


def test_an_included_file_with_mistakes_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("[server]\n[other]\n")
    (tmp_path / "b.toml").write_text("][")
    first, second, third = mistakes_of(tmp_path, 'include = ["*a.toml", "b.toml"]\n')
    assert first == "a.toml: server: may stand in the main file only"
    assert second == "a.toml: other: unknown key; known here: sources, feeds, notify, archive"
    assert third.startswith("b.toml: is not valid TOML")


def test_sources_inherit_defaults_and_overrule_them(tmp_path: Path) -> None:
    toml = '[defaults]\nevery = "10m"\ntags = ["a"]\nlanguage = "zh"\nwatch = true\npriority = 3\n' + SOURCE
    source = source_of(tmp_path, toml + 'language = "en"\nwatch = false\n')
    assert (source.every, source.tags, source.priority) == (600_000, ("a",), 3)
    assert (source.language, source.watch) == ("en", False)


def test_an_own_interval_overrules_the_cron_of_the_defaults(tmp_path: Path) -> None:
    source = source_of(tmp_path, f'[defaults]\ncron = "0 0 * * *"\n{SOURCE}every = "5m"\n')
    assert source.timing.due_after(0).at_ms == 300_000


@pytest.mark.parametrize(
    ("spelled", "duration_ms"),
    [("30s", 30_000), ("10m", 600_000), ("1h", 3_600_000), ("1d", 86_400_000), ("90m", 5_400_000)],
)
def test_durations(tmp_path: Path, spelled: str, duration_ms: int) -> None:
    assert source_of(tmp_path, f'{SOURCE}every = "{spelled}"').every == duration_ms


@pytest.mark.parametrize("spelled", ["", "5", "h", "1 h", "-1h", "1.5h", "1w", "1H", "１h", "1h\\n"])
def test_what_is_no_duration(tmp_path: Path, spelled: str) -> None:
    (found,) = mistakes_of(tmp_path, f'{SOURCE}every = "{spelled}"')
    assert "is not a duration; write 30s, 10m, 1h or 1d" in found


def test_paths_are_relative_to_the_configuration_file(tmp_path: Path) -> None:
    config = loaded(tmp_path, '[store]\npath = "data/x.db"\n' + SOURCE)
    assert config.store.path == tmp_path / "data/x.db"
    assert config.sources[0].location == str(tmp_path / "seeds")
    absolute = SOURCE.replace('"seeds"', '"/somewhere/else"')
    assert source_of(tmp_path, absolute).path == Path("/somewhere/else")
    assert source_of(tmp_path, SOURCE.replace('"seeds"', '"~/x"')).path == Path("~/x").expanduser()


@pytest.mark.parametrize(
    ("listen", "public"),
    [
        ("127.0.0.1:9000", "http://127.0.0.1:9000/"),
        ("localhost:80", "http://localhost:80/"),
        ("[::1]:9000", "http://[::1]:9000/"),
    ],
)
def test_the_base_address_follows_from_listen(tmp_path: Path, listen: str, public: str) -> None:
    assert loaded(tmp_path, f'[server]\nlisten = "{listen}"').server.public_url == public


@pytest.mark.parametrize("listen", ["0.0.0.0:80", "[::]:80", "unix:/run/feedd/http.sock"])
def test_a_base_address_of_ones_own(tmp_path: Path, listen: str) -> None:
    config = loaded(tmp_path, f'[server]\nlisten = "{listen}"\nbase_url = "https://example.org/news"')
    assert config.server.public_url == "https://example.org/news/"


def test_values_are_frozen(tmp_path: Path) -> None:
    config = loaded(tmp_path, SOURCE + '[feeds.a]\nmatch = { title = "x" }\n')
    for value, key in ((config, "path"), (config.server, "listen"), (config.sources[0], "every")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(value, key, None)
    assert hash(config.sources[0]) == hash(config.sources[0].model_copy())


def test_a_copy_of_a_source_with_another_path_selects_otherwise(tmp_path: Path) -> None:
    before = source_of(tmp_path, SOURCE)
    assert source_of(tmp_path, SOURCE + 'exclude = ["x*"]').selection_hash != before.selection_hash
    assert source_of(tmp_path, SOURCE + 'encoding = "gbk"').extraction_hash != before.extraction_hash
    again = source_of(tmp_path, SOURCE + 'title = "Other"\nevery = "2h"\n')
    assert (again.selection_hash, again.extraction_hash) == (before.selection_hash, before.extraction_hash)


def test_where_the_file_is_looked_for(tmp_path: Path) -> None:
    config = tmp_path / "feedd/config.toml"
    config.parent.mkdir()
    config.touch()
    assert find(tmp_path / "given.toml", {}) == tmp_path / "given.toml"
    assert find(None, {"XDG_CONFIG_HOME": str(tmp_path)}) in {Path("config.toml"), config}


toml_values = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.dates()
    | st.times()
    | st.datetimes()
    | st.sampled_from(
        ["directory", "seeds", "1h", "* * * * *", "0 0 30 2 *", "UTC", "~x", "(", "**", "a\0b"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
keys = sorted({*DirectorySource.model_fields, "match", "reject", "sources", "limit", "content", "x"})
likely = {"type": st.just("directory"), "path": toml_values}
tables = st.dictionaries(st.sampled_from(keys), toml_values, max_size=5) | st.fixed_dictionaries(
    likely, optional={key: toml_values for key in keys if key not in likely}
)
names = st.sampled_from(["rfi", "bbc", "all", "A", "", "x" * 64])
sections = st.fixed_dictionaries(
    {},
    optional={
        "include": toml_values,
        "server": st.dictionaries(st.sampled_from(["listen", "base_url", "z"]), toml_values) | toml_values,
        "store": st.dictionaries(st.just("path"), toml_values) | toml_values,
        "defaults": tables | toml_values,
        "sources": st.dictionaries(names, tables | toml_values, max_size=3) | toml_values,
        "feeds": st.dictionaries(names, tables | toml_values, max_size=3) | toml_values,
        "more": toml_values,
    },
)


class Given(Loader):
    """Takes its main file as read."""

    def __init__(self, path: Path, data: dict[str, object]) -> None:
        super().__init__(path)
        self.data = data

    def read(self, file: Path) -> dict[str, object]:
        return self.data if file == self.path else super().read(file)


def outcome_of(loader: Loader) -> Config | tuple[str, ...]:
    """The configuration, or all mistakes."""
    try:
        return loader.load()
    except ConfigError as error:
        return error.mistakes


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=sections)
def test_any_tables_are_a_configuration_or_mistakes(tmp_path: Path, data: dict[str, object]) -> None:
    path = tmp_path / "config.toml"
    outcome = outcome_of(Given(path, data))
    if not isinstance(outcome, Config):
        assert outcome
        assert all(mistake.startswith(f"{tmp_path}/") and "\n" not in mistake for mistake in outcome)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "ignore")))
def test_any_bytes_are_a_configuration_or_mistakes(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(data)
    assert outcome_of(Loader(path))


def test_times_of_toml_are_no_texts(tmp_path: Path) -> None:
    for value in (date(2024, 2, 2), datetime(2024, 2, 2, 10), time(10)):  # noqa: DTZ001 (TOML's local time)
        (found,) = mistakes_of(tmp_path, f"{SOURCE}title = {value.isoformat()}\n")
        assert "is not a text in quotes" in found


@pytest.mark.parametrize(
    "line",
    [
        'url = "https://user:SEKRET@example.org:99999/f"',
        'url = "https://user:SEK/SEKRET@example.org/"',
        'url = "ftp://user:SEKRET@example.org/"',
        'url = "https://example.org/"\nauth = "Bearer SEKRET"',
        'url = "https://example.org/"\nauth = ["me", "SEKRET"]',
        'url = "https://example.org/"\nauth = { user = ["SEKRET"] }',
        'url = "https://example.org/"\nauth = { bearer = "a", password = "SEKRET" }',
        'url = "https://example.org/"\nheaders = "SEKRET"',
        'url = "https://example.org/"\nheaders = { "X Y" = "SEKRET" }',
        'url = "https://example.org/"\nproxy = "ftp://me:SEKRET@proxy"',
        'url = "https://example.org/"\ncookies = { a = "SEKRET\\u0000" }',
    ],
)
def test_no_message_holds_a_secret(tmp_path: Path, line: str) -> None:
    (mistake, *_) = mistakes_of(tmp_path, f'[sources.a]\ntype = "feed"\n{line}\n')
    assert "SEKRET" not in mistake
    assert mistake.startswith("config.toml: sources.a.")


def test_what_programs_and_repositories_inherit(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        '[fetch]\ntimeout = "5s"\nmax_bytes = "1kB"\n[sources.c]\ntype = "command"\ncommand = ["x"]\n'
        '[sources.f]\ntype = "feed"\nurl = "https://example.org/"\n',
    )
    program, feed = config.sources
    assert isinstance(program, CommandSource)
    assert isinstance(feed, FeedSource)
    assert (program.timeout, program.max_bytes) == (60_000, 15_000_000)
    assert (feed.timeout, feed.max_bytes) == (5_000, 1_000)
