# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Parts of a test run, each a command whose last line is `N passed, N failed[, N skipped]`, and
# their sum. Whatever does not end so has failed. Parts may run in two lanes at once: a VM keeps one
# core busy. What a VM prints may hold any byte, so logs are read as text (grep -a). Sourced after
# lib.sh.

RESULT_RE='^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$'
# A line per part: passed, failed, skipped, and the line that people read
RESULTS=$(mktemp)
trap 'rm -f "$RESULTS"' EXIT

# result STATUS LOG: prints `passed failed skipped note` for a part that has ended.
result()
{
	local rc=$1 log=$2 last p=0 f=0 s=0 note=''
	last=$(grep -av '^make\(\[[0-9]*\]\)\?: ' "$log" | grep -a '[^[:space:]]' | tail -n 1 || true)
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
	echo "$p $f $s$note"
}

# part NAME WHAT COMMAND...: runs COMMAND, shows what it prints (in a lane when it has ended, so that
# the two are not mixed), and adds its counts.
part()
{
	local name=$1 what=$2 log=$LOGS/part-$1.log start=$SECONDS rc p f s note
	shift 2
	mkdir -p "$LOGS"
	set +e
	if [[ ${LANE:-} ]]; then
		"$@" >"$log" 2>&1 </dev/null
		rc=$?
		(flock 9 && echo "== $what" && cat "$log") 9<"$RESULTS"
	else
		say "== $what"
		"$@" 2>&1 </dev/null | tee "$log"
		rc=${PIPESTATUS[0]}
	fi
	set -e
	read -r p f s note < <(result "$rc" "$log")
	printf '%d %d %d %-36s %5d passed %4d failed %4d skipped %5d s  %s %s\n' "$p" "$f" "$s" \
		"$what" "$p" "$f" "$s" $((SECONDS - start)) "${log#"$TOP"/}" "$note" >>"$RESULTS"
}

# lane FUNCTION: runs its parts beside those of the others. A lane that breaks off has failed.
lane()
{
	{ LANE=$1; trap - EXIT; "$1"; } &
	LANES+=("$! $1")
}

# Waits for every lane.
join()
{
	local lane
	for lane in "${LANES[@]}"; do
		wait "${lane% *}" || echo "0 1 0 ${lane#* }: broke off" >>"$RESULTS"
	done
	LANES=()
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

# failures LOG: what did not pass, with the notes that tap-count puts below it, and the first lines
# of a step of ours, or of a VM, that ended badly.
failures()
{
	awk '/^[ |]*not ok/ && !/# SKIP/ { sub(/^[ |]*/, ""); print; noted = 1; next }
		noted && /^ *\| / && !/skipped: / { print; next }
		/^vm: |^FAILED| FAILED \(status/ { print; said = 4; next }
		said-- > 0 { print }
		{ noted = 0 }' <(tr -d '\0' <"$1")
}

# Lists the parts, what was skipped and what has failed, then the one line that counts them all.
total()
{
	local passed failed skipped log
	read -r passed failed skipped < <(awk '{ p += $1; f += $2; s += $3 } END { print p+0, f+0, s+0 }' \
		"$RESULTS")
	echo
	cut -d ' ' -f 4- "$RESULTS"
	if ((skipped)); then
		echo "skipped:"
		grep -ahiE '# skip|^skipped: ' "$LOGS"/part-*.log |
			sed -E 's/^[ |]*(skipped: )?/  /' | sort -u || true
	fi
	if ((failed)); then
		echo "failed:"
		awk '$2 > 0' "$RESULTS" | cut -d ' ' -f 4- | sed 's/^/  /'
		for log in "$LOGS"/part-*.log; do
			failures "$log" | sed "s|^|  $(basename "$log"): |" | head -n 40
		done
	fi
	echo "$passed passed, $failed failed$( ((skipped)) && echo ", $skipped skipped")"
	((failed == 0))
}
