# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What every script here shares: where things are, one line per step with its time, and one line
# that says what to do when a step fails. Sourced, never run.

set -euo pipefail

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/iommufd-pasid
BUILD=$TOP/build
LOGS=$BUILD/logs
JOBS=${JOBS:-$(nproc)}
export TOP CACHE BUILD LOGS JOBS
# Messages are compared, and file names sorted, whatever the user's language.
export LC_ALL=C

die()
{
	printf 'error: %s\n' "$*" >&2
	exit 1
}

say()
{
	printf '%s\n' "$*" >&2
}

# need_space GIB DIR: a full disk is said before the hour is spent, not after.
need_space()
{
	local have
	mkdir -p "$2"
	have=$(df -Pk "$2" | awk 'NR == 2 { print int($4 / 1048576) }')
	((have >= $1)) ||
		die "$2 has $have GiB free and this needs $1: free some, or set XDG_CACHE_HOME"
}

# step NAME WHAT COMMAND...: runs COMMAND with its output in build/logs/NAME.log. Prints WHAT and
# the time; when it fails, the log's errors and its name. Not to be called where its status is tested.
step()
{
	local name=$1 what=$2 log=$LOGS/$1.log start=$SECONDS rc=0
	shift 2
	mkdir -p "$LOGS"
	printf '  %-48s ' "$what" >&2
	# In a subshell that no list tests, or errexit would be off in a function that is run here.
	set +e
	(set -e; "$@") >"$log" 2>&1 </dev/null
	rc=$?
	set -e
	if ((rc == 0)); then
		printf '%4d s\n' $((SECONDS - start)) >&2
		return 0
	fi
	printf 'FAILED after %d s\n' $((SECONDS - start)) >&2
	# A script of ours has said it in one line already.
	if grep '^error: ' "$log" | tail -n 1 >&2; then
		say "  log: ${log#"$TOP"/}"
		exit 1
	fi
	grep -v '^make\[' "$log" | grep -E -i -m 12 '(^|[^a-z_-])(error|fatal|undefined reference)[: ]' >&2 ||
		tail -n 12 "$log" >&2
	if grep -q 'No space left on device' "$log"; then
		die "the disk is full: free some space (cache: $CACHE), then run again"
	fi
	die "$what failed (status $rc): the log is ${log#"$TOP"/}"
}

# take_lock FILE: two checkouts share the cache; the second waits, and says so.
take_lock()
{
	mkdir -p "$(dirname "$1")"
	exec {LOCK_FD}>"$1"
	flock -n "$LOCK_FD" && return 0
	say "  waiting for another build that uses $1"
	flock "$LOCK_FD"
}
