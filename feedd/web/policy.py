"""What browsers may load and run on our pages (Content Security Policy, level 3)."""


def policy(pictures: str = "'self'") -> str:
    """`pictures`: where they may come from; all else is ours, and nothing runs that stands within a page."""
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"
        f" img-src {pictures}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
