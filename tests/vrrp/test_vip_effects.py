"""What goes into the kernel and out of it again: in which order, and only what a reload changed."""

from __future__ import annotations

from dataclasses import replace

from hanode.vrrp import effects as fx
from hanode.vrrp.engine_settings import Address, Route, Rule
from hanode.vrrp.vip_effects import add_all, add_new, blocked, remove_all, remove_old
from tests.vrrp.single import V2

KEY = V2.key
A, B, C = (Address(f"192.0.2.{n}", 24, "d0") for n in (10, 11, 12))
R, S, T = (Route(4, f"198.51.{n}.0/24", dev="d0") for n in (100, 101, 102))
P, Q, U = (Rule(4, source=f"192.0.2.{n}") for n in (10, 11, 12))
FULL = replace(V2, vips=(A,), excluded=(B,), routes=(R, S), rules=(P, Q), accept=False)


def test_everything_goes_in_behind_the_firewall() -> None:
    assert add_all(FULL) == [
        fx.BlockAddresses(KEY, (A, B)),
        fx.AddAddresses(KEY, (A, B)),
        fx.AddRoutes(KEY, (R, S)),
        fx.AddRules(KEY, (P, Q)),
    ]


def test_everything_comes_out_the_other_way() -> None:
    assert remove_all(FULL) == [
        fx.RemoveRules(KEY, (P, Q)),
        fx.RemoveRoutes(KEY, (R, S)),
        fx.RemoveAddresses(KEY, (A, B)),
        fx.UnblockAddresses(KEY, (A, B)),
    ]


def test_what_an_instance_does_not_have_is_not_mentioned() -> None:
    assert add_all(V2) == [fx.AddAddresses(KEY, V2.vips)]
    assert remove_all(V2) == [fx.RemoveAddresses(KEY, V2.vips)]


def test_an_owner_takes_its_packets_even_without_accept() -> None:
    assert blocked(FULL) == (A, B)
    assert blocked(replace(FULL, priority=254)) == (A, B)
    assert blocked(replace(FULL, priority=255)) == ()
    assert blocked(replace(FULL, accept=True)) == ()


CHANGED = replace(FULL, vips=(A,), excluded=(C,), routes=(S, T), rules=(Q, U))


def test_a_reload_takes_away_what_is_gone() -> None:
    assert remove_old(FULL, CHANGED) == [
        fx.RemoveRules(KEY, (P,)),
        fx.RemoveRoutes(KEY, (R,)),
        fx.RemoveAddresses(KEY, (B,)),
        fx.UnblockAddresses(KEY, (B,)),
    ]


def test_a_reload_adds_what_is_new() -> None:
    assert add_new(FULL, CHANGED) == [
        fx.BlockAddresses(KEY, (C,)),
        fx.AddAddresses(KEY, (C,)),
        fx.AddRoutes(KEY, (T,)),
        fx.AddRules(KEY, (U,)),
    ]


def test_a_reload_that_changes_nothing_here_does_nothing() -> None:
    assert remove_old(FULL, FULL) == add_new(FULL, FULL) == []


def test_accept_alone_opens_and_closes_the_firewall() -> None:
    opened = replace(FULL, accept=True)
    assert remove_old(FULL, opened) == [fx.UnblockAddresses(KEY, (A, B))]
    assert add_new(FULL, opened) == []
    assert remove_old(opened, FULL) == []
    assert add_new(opened, FULL) == [fx.BlockAddresses(KEY, (A, B))]
