"""All that a running daemon serves, put together: pages, feeds, searches, the API, streams, numbers."""

from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from feedd.config.settings import Config
from feedd.operations import Operations
from feedd.publish.cache import Feeds
from feedd.search.feeds import SearchFeeds
from feedd.search.finder import Finder
from feedd.store.desk import Desk
from feedd.store.statistics import Statistician
from feedd.telling import Telling
from feedd.web import delivery_pages, health, login, metrics, search, source_pages
from feedd.web.access import Doors, Gate
from feedd.web.app import SECURITY_HEADERS, application
from feedd.web.counting import Counting, Meter
from feedd.web.ending import Ending
from feedd.web.health import Health
from feedd.web.ready import Ready


def served(
    config: Config,
    desk: Desk,
    feeds: Feeds,
    told: Telling,
    operations: Operations,
    watched: Health,
    meter: Meter,
) -> ASGIApp:
    """The application, behind what counts requests and asks who may, and behind the feeds that are at hand."""
    from feedd.api import app as api  # FastAPI takes a while to be imported, and no command needs it

    doors = Doors(config, desk, feeds.reader)
    finder = Finder(feeds.reader, config, feeds.plans)
    searches = SearchFeeds(finder, feeds.base_url, feeds.titles)
    routes: list[BaseRoute] = [
        *told.routes,
        *source_pages.routes(config, feeds, operations),
        *delivery_pages.routes(delivery_pages.Deliveries(feeds.reader, operations)),
        *search.routes(search.Search(finder, searches)),
        *login.routes(doors),
        *health.routes(watched),
        *metrics.routes(Statistician(feeds.reader), meter, watched),
        *api.routes(feeds, finder, desk.bell, operations, told.events.stopping),
    ]
    layers = [
        Middleware(Counting, meter=meter),
        Middleware(Ending, stopping=told.events.stopping),
        Middleware(Gate, doors=doors),
    ]
    return Ready(application(feeds, routes, layers), feeds, doors, meter, SECURITY_HEADERS.items())
