from uuid import NAMESPACE_URL, uuid5

from hypothesis import given
from hypothesis import strategies as st

from feedd.normalise.article import uid_of


@given(st.text(st.characters(codec="utf-8")))
def test_a_uid_is_a_version_5_uuid(identity: str) -> None:
    """RFC 9562 section 5.5, as the standard library makes it."""
    assert uid_of(identity) == str(uuid5(NAMESPACE_URL, identity))
