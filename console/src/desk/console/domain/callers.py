"""What a session's owner sees of where it is used: the family of the browser, and the network."""

import ipaddress
from dataclasses import dataclass

_IPV4_PREFIX, _IPV6_PREFIX = 24, 48
_FAMILIES = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""What a User-Agent contains, the rarer first: nearly all contain Safari, and many Chrome."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The source of a request: its IP address, and what its browser says it is."""

    address: str
    user_agent: str = ""

    @property
    def network(self) -> str:
        """The network of the address, an IPv4 /24 or an IPv6 /48; empty if it is no address."""
        try:
            address = ipaddress.ip_address(self.address)
        except ValueError:
            return ""
        prefix = _IPV4_PREFIX if address.version == 4 else _IPV6_PREFIX  # noqa: PLR2004 - the version of IP
        return str(ipaddress.ip_network((address, prefix), strict=False))

    @property
    def browser(self) -> str:
        """The family of the browser; empty if it is unknown."""
        return next((family for sign, family in _FAMILIES if sign in self.user_agent), "")
