"""Where other devices can reach this machine: its IPv4 addresses, the likeliest first. Sends nothing."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address
from typing import Any

import msgspec

LOOPBACK = "127.0.0.1"

_VIRTUAL = ("br-", "bridge", "cni", "docker", "flannel", "lxc", "podman", "tailscale", "tap", "tun", "utun", "vboxnet",
            "veth", "vethernet", "virbr", "vmnet", "vmware", "wg", "wireguard", "zt")  # fmt: skip
"""How the interfaces of virtual machines, containers and private networks are named: no phone is behind them."""

_WIRELESS = ("wl", "wi-fi", "wifi")


class Address(msgspec.Struct, frozen=True):
    """An address of this machine, and the interface's name as the system has it."""

    ip: str
    interface: str


def addresses() -> tuple[Address, ...]:
    """Those of this moment; none on a machine without a network."""
    import psutil

    return ranked(psutil.net_if_addrs(), psutil.net_if_stats())


def ranked(interfaces: Mapping[str, Sequence[Any]], states: Mapping[str, Any]) -> tuple[Address, ...]:
    """Of what psutil's `net_if_addrs` and `net_if_stats` give: interfaces that are up, wireless before wired before
    virtual; private addresses before others, and those that a device gave itself (169.254.*) last."""
    found = [
        Address(entry.address, name)
        for name, entries in interfaces.items()
        if name not in states or states[name].isup
        for entry in entries
        if entry.family == socket.AF_INET and not IPv4Address(entry.address).is_loopback
    ]
    return tuple(sorted(found, key=_unlikeliness))


def _unlikeliness(address: Address) -> tuple[bool, bool, bool, bool]:
    ip, name = IPv4Address(address.ip), address.interface.lower()
    return ip.is_link_local, name.startswith(_VIRTUAL), not ip.is_private, not name.startswith(_WIRELESS)
