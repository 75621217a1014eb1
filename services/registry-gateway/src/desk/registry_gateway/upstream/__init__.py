"""Clients of the registries, with time limits, a circuit breaker, opening hours, a daily quota and a cache."""

from desk.registry_gateway.upstream.cache import LookupCache
from desk.registry_gateway.upstream.client import CallLimits, ResilientClient, UpstreamMetrics
from desk.registry_gateway.upstream.hours import OpeningHours
from desk.registry_gateway.upstream.mobiles import MobileClient
from desk.registry_gateway.upstream.registry import RegistryClient

__all__ = [
    "CallLimits",
    "LookupCache",
    "MobileClient",
    "OpeningHours",
    "RegistryClient",
    "ResilientClient",
    "UpstreamMetrics",
]
