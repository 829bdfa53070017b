"""Who asks, as the layer that guards the application found out (`access.Gate`), and which feeds they may see."""

from collections.abc import Mapping
from typing import NamedTuple

from starlette.requests import Request

from feedd import shapes
from feedd.access.credentials import Way
from feedd.access.keys import form_token
from feedd.access.scopes import Scope
from feedd.publish.plan import Plan
from feedd.quoting import for_everybody
from feedd.store.looks import Look as SourceLook
from feedd.store.reader import SourceRow
from feedd.store.tokens import Session, Token

VIEWER = "feedd.viewer"  # in a request's scope


class Viewer(NamedTuple):
    """Who asks."""

    token: Token | None = None  # None: somebody
    way: Way | None = None
    session: Session | None = None
    name: str | None = None  # of the session: a secret
    closed: bool = False  # nothing is for everybody
    private: frozenset[str] = frozenset()  # feeds that are not

    def may(self, scope: Scope) -> bool:
        return self.token is not None and self.token.scope.covers(scope)

    def may_see(self, feed: str) -> bool:
        return self.token is not None or not (self.closed or feed in self.private)

    def shown(self, row: SourceRow) -> SourceRow:
        """A source as they may see it."""
        return row if self.token is not None else shapes.for_everybody(row)

    def look(self, look: SourceLook) -> SourceLook:
        """A look at a source as they may see it."""
        return look if self.token is not None else look._replace(error=for_everybody(look.error))

    @property
    def csrf(self) -> str:
        """What the forms of the pages send as `csrf`; empty without a session."""
        return form_token(self.name) if self.name else ""


def viewer_of(request: Request) -> Viewer:
    found = request.scope.get(VIEWER)
    return found if isinstance(found, Viewer) else Viewer()


def visible(plans: Mapping[str, Plan], viewer: Viewer) -> dict[str, Plan]:
    """The feeds that lists show to them."""
    return {name: plan for name, plan in plans.items() if viewer.may_see(name)}


def hidden(plans: Mapping[str, Plan], request: Request) -> frozenset[str]:
    """The names of the feeds that whoever asks may not see."""
    viewer = viewer_of(request)
    return frozenset(name for name in plans if not viewer.may_see(name))
