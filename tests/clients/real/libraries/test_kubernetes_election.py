"""The official Python client: its leader election by a Lease."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.real.libraries.conftest import Place

kubernetes = pytest.importorskip("kubernetes", reason="the library kubernetes is not installed")
election = pytest.importorskip("kubernetes.leaderelection.leaderelection", reason="kubernetes has no election")
config = pytest.importorskip("kubernetes.leaderelection.electionconfig", reason="kubernetes has no election")
locks = pytest.importorskip("kubernetes.leaderelection.resourcelock.leaselock", reason="kubernetes has no election")


def candidate(api: Any, place: Place, name: str) -> Any:
    lock = locks.LeaseLock("boss", place.namespace, name)
    lock.api_instance = kubernetes.client.CoordinationV1Api(api)
    how = config.Config(lock, 17, 15, 5, onstarted_leading=print, onstopped_leading=print)
    return election.LeaderElection(how)


def test_one_leads(place: Place) -> None:
    with kubernetes.config.new_client_from_config(str(place.kubeconfig)) as api:
        one, two = candidate(api, place, "one"), candidate(api, place, "two")
        assert [each.try_acquire_or_renew() for each in (one, two, one)] == [True, False, True]
        stale = two.election_config.lock
        assert stale.get("boss", place.namespace)[1].holder_identity == "one"
        assert one.try_acquire_or_renew()
        assert not stale.update("boss", place.namespace, one.observed_record)  # it has not seen the newest renewal
