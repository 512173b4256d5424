"""Security contexts of containers and pods."""

from __future__ import annotations

import re

from rollplane.core import v1 as core
from rollplane_machinery.errors import Cause
from rollplane_rules.validation.causes import (
    duplicate,
    invalid,
    not_negative,
    not_supported,
    one_of,
    required,
    under,
)

_PROFILES = frozenset({"Localhost", "RuntimeDefault", "Unconfined"})
_PROC_MOUNTS = frozenset({"Default", "Unmasked"})
_GROUP_CHANGES = frozenset({"Always", "OnRootMismatch"})
_GROUP_POLICIES = frozenset({"Merge", "Strict"})
_SYSCTL = re.compile(r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?").fullmatch


def check_security_context(context: core.SecurityContext) -> list[Cause]:
    """Return what is wrong with the security context of a container."""
    found = _check_ids(context)
    if context.HasField("proc_mount") and context.proc_mount not in _PROC_MOUNTS:
        found.append(not_supported("procMount", context.proc_mount, _PROC_MOUNTS))
    found += _check_profiles(context)
    if context.HasField("allow_privilege_escalation") and not context.allow_privilege_escalation:
        if context.privileged:
            found.append(invalid("", None, "a privileged container escalates: set allowPrivilegeEscalation to true"))
        if "CAP_SYS_ADMIN" in context.capabilities.add:
            found.append(invalid("", None, "CAP_SYS_ADMIN escalates: drop it or allow privilege escalation"))
    return found


def _check_ids(context: core.SecurityContext | core.PodSecurityContext) -> list[Cause]:
    found: list[Cause] = []
    if not 0 <= context.run_as_user < 2**31:
        found.append(invalid("runAsUser", context.run_as_user, "give a user id from 0 to 2147483647"))
    if not 0 <= context.run_as_group < 2**31:
        found.append(invalid("runAsGroup", context.run_as_group, "give a group id from 0 to 2147483647"))
    return found


def _check_profiles(context: core.SecurityContext | core.PodSecurityContext) -> list[Cause]:
    found: list[Cause] = []
    if context.HasField("seccomp_profile"):
        found += under("seccompProfile", _check_profile(context.seccomp_profile))
    if context.HasField("app_armor_profile"):
        found += under("appArmorProfile", _check_profile(context.app_armor_profile))
    return found


def _check_profile(profile: core.SeccompProfile | core.AppArmorProfile) -> list[Cause]:
    if profile.type == "Localhost":
        return [] if profile.localhost_profile else [required("localhostProfile", "name the profile on the node")]
    found = one_of("type", profile.type, _PROFILES)
    if profile.HasField("localhost_profile"):
        found.append(invalid("localhostProfile", profile.localhost_profile, "leave it out, or set type to Localhost"))
    return found


def check_pod_security_context(context: core.PodSecurityContext) -> list[Cause]:
    """Return what is wrong with the security context of a pod."""
    found = _check_ids(context)
    found += _check_profiles(context)
    if context.fs_group < 0:
        found += not_negative("fsGroup", context.fs_group)
    for index, group in enumerate(context.supplemental_groups):
        found += not_negative(f"supplementalGroups[{index}]", group)
    if context.HasField("fs_group_change_policy") and context.fs_group_change_policy not in _GROUP_CHANGES:
        found.append(not_supported("fsGroupChangePolicy", context.fs_group_change_policy, _GROUP_CHANGES))
    if context.HasField("supplemental_groups_policy") and context.supplemental_groups_policy not in _GROUP_POLICIES:
        found.append(not_supported("supplementalGroupsPolicy", context.supplemental_groups_policy, _GROUP_POLICIES))
    return found + _check_sysctls(context)


def _check_sysctls(context: core.PodSecurityContext) -> list[Cause]:
    found: list[Cause] = []
    seen: set[str] = set()
    for index, sysctl in enumerate(context.sysctls):
        field = f"sysctls[{index}].name"
        if not sysctl.name:
            found.append(required(field, "name the kernel parameter"))
        elif len(sysctl.name) > 253 or not _SYSCTL(sysctl.name):
            found.append(invalid(field, sysctl.name, "use lower-case words joined by '.', as in 'net.core.somaxconn'"))
        elif sysctl.name in seen:
            found.append(duplicate(field, sysctl.name))
        seen.add(sysctl.name)
    return found
