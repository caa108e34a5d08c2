#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs suites of tests: tests/check.sh unit lint run. Every test prints lines
#	ok NAME | not ok NAME: why | skip NAME: reason
# which pass through as they come, are counted, and are summed up in the last line.
set -u
cd "$(dirname "$0")/.." || exit 1

UNIT_SECONDS=300	# for one unit test, one lint script

passed=0
failures=()
skips=()

# report NAME LINE: shows a line of the test NAME and counts it.
report()
{
	case $2 in
	'ok '*)
		passed=$((passed + 1)) ;;
	'not ok '*)
		failures+=("$1: ${2#not ok }") ;;
	'skip '*)
		skips+=("$1: ${2#skip }") ;;
	esac
	printf '%s: %s\n' "$1" "$2"
}

# run_test NAME COMMAND...: a crash or a failure without a word is one failure, and so is silence.
run_test()
{
	local name=$1 line status
	local failed_before=${#failures[@]}
	local counted_before=$((passed + ${#failures[@]} + ${#skips[@]}))

	shift
	while IFS= read -r line || [ -n "$line" ]; do
		report "$name" "$line"
	done < <(exec "$@" </dev/null)
	wait $!
	status=$?
	if [ "$status" -ne 0 ] && [ "${#failures[@]}" -eq "$failed_before" ]; then
		report "$name" "not ok ${name##*/}: $(describe_status "$status")"
	elif [ $((passed + ${#failures[@]} + ${#skips[@]})) -eq "$counted_before" ]; then
		report "$name" "not ok ${name##*/}: printed no result"
	fi
}

describe_status()
{
	if [ "$1" -eq 124 ]; then
		echo "timed out"
	elif [ "$1" -gt 128 ]; then
		echo "killed by signal $(($1 - 128))"
	else
		echo "exit status $1"
	fi
}

# run_each SUITE FILE...: FILE may be a pattern that nothing matched.
run_each()
{
	local suite=$1 file

	shift
	for file in "$@"; do
		case $file in
		*.d)
			continue ;;	# beside the unit tests the compiler leaves its depfiles
		esac
		if [ ! -x "$file" ]; then
			report "$suite" "not ok $suite: nothing to run at $file"
			continue
		fi
		run_test "$suite/$(basename "$file" .sh)" \
			timeout --foreground -k 10 "$UNIT_SECONDS" "$file"
	done
}

run_suite()
{
	case $1 in
	unit)
		run_each unit build/unit/test_* ;;
	lint)
		run_each lint tests/lint/*.sh ;;
	run)
		PYTHONUNBUFFERED=1 run_test run /usr/bin/python3 tests/run/run.py ;;
	*)
		report "$1" "not ok $1: no such suite: unit, lint or run" ;;
	esac
}

print_list()
{
	local title=$1

	shift
	[ $# -gt 0 ] || return 0
	printf '\n%s\n' "$title"
	printf '  %s\n' "$@"
}

if [ $# -eq 0 ]; then
	echo "usage: tests/check.sh unit|lint|run..." >&2
	exit 2
fi
for suite in "$@"; do
	run_suite "$suite"
done
print_list 'Skipped:' ${skips[@]+"${skips[@]}"}
print_list 'Failed:' ${failures[@]+"${failures[@]}"}
printf '\n%d passed, %d failed, %d skipped\n' "$passed" "${#failures[@]}" "${#skips[@]}"
[ "${#failures[@]}" -eq 0 ] && [ "$passed" -gt 0 ]
