"""The network that a caller's address belongs to."""

import ipaddress


def network_of(source: str) -> str:
    """Return the address or network whose challenges are counted together: an IPv4 address, or the /56 of IPv6.

    A household usually has a /56 of IPv6.
    """
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return source
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 56), strict=False))
    return source
