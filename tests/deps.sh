#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Installs the Debian packages named that are missing, and starts none of their services:
# tests/deps.sh PACKAGE... Says nothing when all are there.
set -eu

POLICY=/usr/sbin/policy-rc.d

print_missing()
{
	local package status

	for package in "$@"; do
		status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=
		[ "$status" = installed ] || echo "$package"
	done
}

# Maintainer scripts ask this file whether they may start a service (101: no). It holds only as
# long as this script lives, so that one left behind by a kill refuses nothing. An administrator's
# own is left alone.
forbid_services()
{
	if [ -e "$POLICY" ]; then
		return
	fi
	trap 'rm -f "$POLICY"' EXIT
	trap 'exit 1' HUP INT TERM
	printf '#!/bin/sh\n[ ! -d /proc/%d ] || exit 101\n' "$$" >"$POLICY"
	chmod 755 "$POLICY"
}

install_packages()
{
	# RUNLEVEL: init scripts start nothing in single-user mode, whatever the policy says.
	export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
	apt-get -qq -o DPkg::Lock::Timeout=300 update
	apt-get -qq -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@" >/dev/null
}

if ! command -v dpkg-query >/dev/null; then
	echo "deps: not a Debian system; what is needed: $*" >&2
	exit 0
fi
mapfile -t missing < <(print_missing "$@")
if [ ${#missing[@]} -eq 0 ]; then
	exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "deps: missing packages; as root: apt-get install ${missing[*]}" >&2
	exit 1
fi
echo "deps: installing ${missing[*]}"
forbid_services
install_packages "${missing[@]}"
