"""The network that a caller's address belongs to."""

import ipaddress

_IPV4_PREFIX, _IPV6_PREFIX = 24, 56


def network_of(source: str) -> str:
    """Return the network whose look-ups are counted together: the /24 of an IPv4 address, the /56 of an IPv6 address.

    A household usually has a /56 of IPv6. Without this, a sweep could take a new address for each look-up.
    """
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return source
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    prefix = _IPV4_PREFIX if isinstance(address, ipaddress.IPv4Address) else _IPV6_PREFIX
    return str(ipaddress.ip_network((address, prefix), strict=False))
