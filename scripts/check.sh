#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds with warnings as errors and runs every test, in a normal and in a
# sanitizer build. The last line is the total, "N passed, N failed"; it is also
# left in build-check/result. A build that fails counts as one failure.
set -u

cd "$(dirname "$0")/.." || exit 1
LOG=meson-logs/testlog-default.json # of the setup "default"
passed=0
failed=0

# Counts the tests of build $1 with result $2 (as Meson names it).
count()
{
	grep -c "\"result\": \"$2\"" "$1/$LOG"
}

# build DIR MESON-OPTION...
build()
{
	dir=$1
	shift
	echo "== $dir"
	[ -e "$dir/build.ninja" ] || meson setup "$dir" -Dwerror=true "$@" || return
	ninja -C "$dir"
}

# Runs the tests of build $1.
check()
{
	dir=$1
	rm -f "$dir/$LOG"
	meson test -C "$dir" --setup default --no-rebuild --print-errorlogs
	status=$?
	# what is to fail, and does, is as it should be
	ok=$(($(count "$dir" OK) + $(count "$dir" EXPECTEDFAIL)))
	skipped=$(count "$dir" SKIP)
	bad=$(($(grep -c '"result":' "$dir/$LOG") - ok - skipped))
	passed=$((passed + ok))
	failed=$((failed + bad))
	# Meson's verdict counts too: it may have found what no single test shows.
	if [ $status -ne 0 ] && [ $bad -eq 0 ]; then
		failed=$((failed + 1))
	fi
}

# The second build is made of what the tests of the first leave of the processor: those
# with virtual machines mostly wait for one thread.
build build-check -Dlto=true
built=$?
mkdir -p build-check
(
	build build-asan -Db_sanitize=address,undefined -Db_lundef=false
) >build-check/asan.log 2>&1 &
other=$!
trap 'kill $other 2>/dev/null' EXIT
renice -n 19 $other >/dev/null
if [ $built -eq 0 ]; then
	check build-check
else
	failed=$((failed + 1))
fi
wait $other
built=$?
trap - EXIT
cat build-check/asan.log
if [ $built -eq 0 ]; then
	check build-asan
else
	failed=$((failed + 1))
fi

echo "$passed passed, $failed failed" | tee build-check/result
[ $failed -eq 0 ] && [ $passed -gt 0 ]
