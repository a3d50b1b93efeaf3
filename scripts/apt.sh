# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Debian packages, installed only when something is missing. A fresh Debian 12 has no backports
# enabled: the mirror's address comes from the machine's own configuration, and a private sources
# list is used beside it, so that nothing of the machine's own changes. Sourced after lib.sh.

APT_LOG=$LOGS/apt.log
mkdir -p "$LOGS"

apt_codename()
{
	# shellcheck disable=SC1091
	(. /etc/os-release && echo "${VERSION_CODENAME:-}")
}

apt_run()
{
	DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Lock::Timeout=300 \
		-o APT::Install-Recommends=false "$@" >>"$APT_LOG" 2>&1 </dev/null
}

apt_why()
{
	if grep -q 'No space left' "$APT_LOG"; then
		echo "the disk is full: free some space"
	elif grep -qE 'Temporary failure|Could not (connect|resolve)|Failed to fetch' "$APT_LOG"; then
		echo "the package mirror cannot be reached: check the network, then run again"
	else
		echo "see /etc/apt/sources.list* and ${APT_LOG#"$TOP"/}"
	fi
}

# Only when an install without it did not work. One mirror of several that is down need not matter:
# whether it did, the install tells.
apt_update()
{
	apt_run "$@" update || true
}

apt_require_root()
{
	command -v apt-get >/dev/null ||
		die "missing: $*. This is no Debian machine: install them, then run again"
	[[ $(id -u) = 0 ]] || die "missing: $*. Run as root, or: apt-get install $*"
}

# apt_install PACKAGE...
apt_install()
{
	apt_require_root "$@"
	say "  installing $*"
	: >"$APT_LOG"
	apt_run -y install "$@" && return 0
	apt_update
	apt_run -y install "$@" || die "cannot install $*: $(apt_why)"
}

# Writes the private lists and prints the options that select them. The machine's own lists are in
# them too: a package from backports needs others that are not there. BACKPORTS_OF names another
# release of the same mirror.
backports_options()
{
	local dir=$CACHE/apt${BACKPORTS_OF:+-$BACKPORTS_OF} parts list uri key='' release
	release=$(apt_codename)
	[[ $release ]] || die "/etc/os-release names no release: is this Debian 12 or 13?"
	# The last one wins; file and folder come with their full path.
	eval "$(apt-config shell list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
	# shellcheck disable=SC2016
	uri=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
		awk -v r="$release" '$1 == r && $2 == "main" { print $3; exit }')
	[[ $uri ]] || die "apt knows no mirror of $release main: $(apt_why)"
	[[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]] &&
		key='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] '
	rm -rf "$dir/parts"
	mkdir -p "$dir/parts" "$dir/lists/partial"
	find "$parts" -maxdepth 1 \( -name '*.list' -o -name '*.sources' \) -exec cp {} "$dir/parts/" \;
	echo "deb $key$uri ${BACKPORTS_OF:-$release}-backports main" >"$dir/parts/zz-backports.list"
	printf '%s\n' -o "Dir::Etc::SourceList=$list" -o "Dir::Etc::SourceParts=$dir/parts" \
		-o "Dir::State::Lists=$dir/lists"
}

# backports COMMAND...: apt-get with the private lists.
backports()
{
	local options
	mapfile -t options < <(backports_options)
	((${#options[@]} == 6)) || exit 1
	[[ ${BACKPORTS_FRESH:-} ]] || apt_update "${options[@]}"
	BACKPORTS_FRESH=1
	apt_run "${options[@]}" "$@"
}

# apt_install_backports PACKAGE...: from backports when the release's own are too old.
apt_install_backports()
{
	apt_require_root "$@"
	say "  installing $* from backports"
	: >"$APT_LOG"
	backports -y -t "$(apt_codename)-backports" install "$@" ||
		die "cannot install $* from $(apt_codename)-backports: $(apt_why)"
}
