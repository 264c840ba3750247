"""Addresses on the internet: whose a request is, and what counts as one."""

import ipaddress
from collections.abc import Sequence
from functools import cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def find_client(peer: str, forwarded: Sequence[str], trusted_proxies: str) -> str:
    """The address a request came from. `forwarded`: its X-Forwarded-For, believed only from `trusted_proxies`."""
    trusted = _networks(trusted_proxies)
    if not _is_within(peer, trusted):
        return peer
    address = peer
    # From the right: each entry was written by the machine that the entry after it names.
    for entry in reversed([part.strip() for part in ",".join(forwarded).split(",") if part.strip()]):
        if not _is_address(entry):
            break
        address = entry
        if not _is_within(entry, trusted):
            break
    return address


def is_within(address: str, networks: str) -> bool:
    """Whether an address is of one of these comma-separated networks."""
    return _is_within(address, _networks(networks))


def address_key(address: str) -> str:
    """What counts as one address: an IPv4 address, or a whole /64 of IPv6, which one subscriber owns."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)


@cache
def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_within(address: str, networks: tuple[Network, ...]) -> bool:
    return _is_address(address) and any(ipaddress.ip_address(address) in network for network in networks)
