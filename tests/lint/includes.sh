#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Includes follow the one direction: model and sinks know no collector, no libbpf and no procfs,
# and libbpf stays in collect/.
set -u
cd "$(dirname "$0")/../.." || exit 1
failed=0

# forbid NAME PATTERN FIND-ARGUMENTS...: no such file may include what matches PATTERN.
forbid()
{
	local name=$1 pattern=$2 found

	shift 2
	found=$(find "$@" -name '*.[ch]' -exec grep -nHE \
		"^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"](\.\./)*($pattern)" {} +)
	if [ -n "$found" ]; then
		echo "$found"
		echo "not ok $name: $(head -n 1 <<<"$found")"
		failed=1
	else
		echo "ok $name"
	fi
}

forbid sink-includes 'collect/|proc/|bpf/|libbpf|[^>"]*\.skel\.h' src/sink
forbid model-includes 'collect/|proc/|bpf/|libbpf|[^>"]*\.skel\.h' src/model
forbid libbpf-includes 'bpf/|libbpf|[^>"]*\.skel\.h' src -path src/collect -prune -o
exit $failed
