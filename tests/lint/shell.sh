#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# No script gives shellcheck anything to say.
set -u
cd "$(dirname "$0")/../.." || exit 1
failed=0

if ! command -v shellcheck >/dev/null; then
	echo 'skip shell: shellcheck is not installed'
	exit 0
fi
while IFS= read -r script; do
	if shellcheck "$script"; then
		echo "ok ${script#./}"
	else
		echo "not ok ${script#./}: shellcheck complains"
		failed=1
	fi
done < <(find . -path ./.git -prune -o -path ./build -prune -o \
	\( -name '*.sh' -o -path ./.ci/run \) -print | sort)
exit $failed
