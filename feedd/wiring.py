"""A configuration over a store: what every command that needs both begins with."""

from feedd.config.settings import Config
from feedd.pipeline import key_of, now_ms
from feedd.publish.cache import Feeds
from feedd.publish.plan import plans, settings
from feedd.store.desk import Desk
from feedd.store.reader import Reader


def feeds_of(config: Config, reader: Reader) -> Feeds:
    """The feeds of a configuration over a store."""
    priorities = {source.name: source.priority for source in config.sources}
    titles = {source.name: source.title or source.name for source in config.sources}
    return Feeds(reader, plans(config), config.server.public_url, priorities, titles)


def prepare(desk: Desk, config: Config) -> None:
    """Bring the store in line with the configuration."""
    keys = [key_of(source) for source in config.sources]
    desk.run(lambda writer: writer.configure(keys, settings(config), now_ms()))
