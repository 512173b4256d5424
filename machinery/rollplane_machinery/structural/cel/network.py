"""IP addresses and networks.

Source: kubernetes/apiserver pkg/cel/library/ip.go and cidr.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)

from cel_expr_python.cel import Type
from google.protobuf.message import Message

from rollplane_machinery.structural.cel.functions import Function, function, member
from rollplane_machinery.structural.cel.messages import CIDR, IP, maker, text_of

_ip, _cidr = maker("net.IP"), maker("net.CIDR")
_BROADCAST = IPv4Address("255.255.255.255")
_LOCAL_V4 = IPv4Network("224.0.0.0/24")
Address = IPv4Address | IPv6Address
Interface = IPv4Interface | IPv6Interface


def _address(text: str) -> Address:
    try:
        address = ip_address(text)
    except ValueError as error:
        raise ValueError(f'IP Address "{text}" parse error during conversion from string: {error}') from error
    if "%" in text:
        raise ValueError(f'IP address "{text}" with zone value is not allowed')
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        raise ValueError(f'IPv4-mapped IPv6 address "{text}" is not allowed')
    return address


def _to_ip(text: str) -> Message:
    return _ip(str(_address(text)))


def _is_ip(text: str) -> bool:
    try:
        _address(text)
    except ValueError:
        return False
    return True


def _of(value: Message) -> Address:
    return ip_address(text_of(value))


def _is_local_multicast(value: Message) -> bool:
    address = _of(value)
    if isinstance(address, IPv4Address):
        return address in _LOCAL_V4
    return address.packed[0] == 0xFF and address.packed[1] & 0x0F == 0x02


def _is_global_unicast(value: Message) -> bool:
    address = _of(value)
    is_special = address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local
    return not is_special and address != _BROADCAST


def _interface(text: str) -> Interface:
    address, slash, length = text.partition("/")
    if not slash or not length.isdecimal() or (len(length) > 1 and length[0] == "0"):
        raise ValueError(f'network address parse error during conversion from string: netip.ParsePrefix("{text}")')
    _address(address)
    return ip_interface(text)


def _to_cidr(text: str) -> Message:
    return _cidr(str(_interface(text)))


def _is_cidr(text: str) -> bool:
    try:
        _interface(text)
    except ValueError:
        return False
    return True


def _network(value: Message) -> IPv4Network | IPv6Network:
    return ip_network(text_of(value), strict=False)


def _contains_ip(value: Message, other: Message | str) -> bool:
    return (_address(other) if isinstance(other, str) else _of(other)) in _network(value)


def _contains_cidr(value: Message, other: Message | str) -> bool:
    outer = _network(value)
    inner = _network(_to_cidr(other)) if isinstance(other, str) else _network(other)
    return outer.version == inner.version and inner.network_address in outer and inner.prefixlen >= outer.prefixlen


FUNCTIONS: Sequence[Function] = (
    function("ip", _to_ip, IP, Type.STRING),
    function("isIP", _is_ip, Type.BOOL, Type.STRING),
    function("ip.isCanonical", lambda text: str(_address(text)) == text, Type.BOOL, Type.STRING),
    member("family", lambda value: _of(value).version, Type.INT, IP),
    member("isUnspecified", lambda value: _of(value).is_unspecified, Type.BOOL, IP),
    member("isLoopback", lambda value: _of(value).is_loopback, Type.BOOL, IP),
    member("isLinkLocalMulticast", _is_local_multicast, Type.BOOL, IP),
    member("isLinkLocalUnicast", lambda value: _of(value).is_link_local, Type.BOOL, IP),
    member("isGlobalUnicast", _is_global_unicast, Type.BOOL, IP),
    function("cidr", _to_cidr, CIDR, Type.STRING),
    function("isCIDR", _is_cidr, Type.BOOL, Type.STRING),
    member("containsIP", _contains_ip, Type.BOOL, CIDR, Type.STRING),
    member("containsIP", _contains_ip, Type.BOOL, CIDR, IP),
    member("containsCIDR", _contains_cidr, Type.BOOL, CIDR, Type.STRING),
    member("containsCIDR", _contains_cidr, Type.BOOL, CIDR, CIDR),
    member("ip", lambda value: _ip(str(ip_interface(text_of(value)).ip)), IP, CIDR),
    member("masked", lambda value: _cidr(str(_network(value))), CIDR, CIDR),
    member("prefixLength", lambda value: _network(value).prefixlen, Type.INT, CIDR),
    Function("string", text_of, [(Type.STRING, [IP]), (Type.STRING, [CIDR])], is_member=False),
)
