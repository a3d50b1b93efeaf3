# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Parts of a test run, each a command whose last line is `N passed, N failed[, N skipped]`, and
# their sum. Whatever does not end so has failed. Sourced after lib.sh.

PASSED=0 FAILED=0 SKIPPED=0
SUMMARY=()
RESULT_RE='^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$'

# part NAME WHAT COMMAND...: runs COMMAND, shows what it prints, and adds its counts.
part()
{
	local name=$1 what=$2 log=$LOGS/part-$1.log start=$SECONDS rc last p=0 f=0 s=0 note=''
	shift 2
	mkdir -p "$LOGS"
	say "== $what"
	set +e
	"$@" 2>&1 </dev/null | tee "$log"
	rc=${PIPESTATUS[0]}
	set -e
	last=$(grep -v '^make\(\[[0-9]*\]\)\?: ' "$log" | grep '[^[:space:]]' | tail -n 1 || true)
	if [[ $last =~ $RESULT_RE ]]; then
		p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[4]:-0}
		if ((p + f == 0)); then
			f=1 note=' (no test ran)'
		elif ((rc != 0 && f == 0)); then
			f=1 note=" (all passed, yet the status is $rc)"
		fi
	else
		f=1 note=" (no result line; status $rc)"
	fi
	PASSED=$((PASSED + p)) FAILED=$((FAILED + f)) SKIPPED=$((SKIPPED + s))
	SUMMARY+=("$(printf '%-36s %5d passed %4d failed %4d skipped %5d s  %s%s' \
		"$what" "$p" "$f" "$s" $((SECONDS - start)) "${log#"$TOP"/}" "$note")")
}

# one COMMAND...: a command that ends with no counts, as one test.
one()
{
	if "$@"; then
		echo '1 passed, 0 failed'
	else
		echo '0 passed, 1 failed'
		return 1
	fi
}

# Lists the parts and what was skipped, then the one line that counts them all.
total()
{
	echo
	printf '%s\n' "${SUMMARY[@]}"
	if ((SKIPPED)); then
		echo "skipped:"
		grep -hiE '# skip|^skipped: ' "$LOGS"/part-*.log | sort -u | sed 's/^/  /' || true
	fi
	echo "$PASSED passed, $FAILED failed$( ((SKIPPED)) && echo ", $SKIPPED skipped")"
	((FAILED == 0))
}
