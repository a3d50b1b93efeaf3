# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The source tree and the object folder of a variant, both in the cache. An object folder lies
# directly in its source tree, so that kbuild uses relative paths only: an object of the base and
# the same object of ours are then one to ccache. Sourced after lib.sh.

# Which fragments make a variant's configuration, and which architecture it is for.
declare -A FRAGMENTS=(
	[x86_64]="common x86_64"
	[x86_64-base]="common x86_64 base"
	[x86_64-debug]="common x86_64 debug"
	[x86_64-vfio]="common x86_64 vfio"
	[arm64]="common arm64"
	[um]="uml"
	[lint]="common x86_64 lint"
	[lint-clang]="common x86_64 lint"
)
declare -A KARCH=(
	[x86_64]=x86_64 [x86_64-base]=x86_64 [x86_64-debug]=x86_64
	[x86_64-vfio]=x86_64 [arm64]=arm64 [um]=um [lint]=x86_64 [lint-clang]=x86_64
)
# The image below the object folder.
declare -A IMAGE=(
	[x86_64]=arch/x86/boot/bzImage [x86_64-base]=arch/x86/boot/bzImage
	[x86_64-debug]=arch/x86/boot/bzImage [x86_64-vfio]=arch/x86/boot/bzImage
	[arm64]=arch/arm64/boot/Image [um]=linux
)
# Object folders of one variant that are kept, for going back and forth between configurations.
KEEP=2

# The command line of make, were this run from a Makefile, is not meant for the kernel's.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES ARCH CROSS_COMPILE O KBUILD_OUTPUT DEBUG BASE

export CCACHE_DIR=${CCACHE_DIR:-$CACHE/ccache} CCACHE_NOHASHDIR=1
export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 2026'
export KBUILD_BUILD_USER=iommufd KBUILD_BUILD_HOST=iommufd KBUILD_BUILD_VERSION=1

assemble()
{
	python3 "$TOP/scripts/assemble.py" "$TOP" "$1/base" "$1/ours"
}

# prepare_source VARIANT: sets SRC, and holds the lock of it from then on.
prepare_source()
{
	local dir
	"$TOP/scripts/need" gcc make libc6-dev flex bison bc libelf-dev libssl-dev ccache python3 perl patch
	dir=$("$TOP/scripts/fetch")
	case $1 in
	*-base)
		SRC=$dir/base
		take_lock "$SRC.lock"
		;;
	*)
		SRC=$dir/ours
		take_lock "$SRC.lock"
		step "$1-assemble" "$1: lay our tree over the base" assemble "$dir"
		;;
	esac
}

# kmake ARGS...: make in the kernel tree for the object folder.
kmake()
{
	make -C "$SRC" O="$OBJ" ARCH="${KARCH[$VARIANT]}" "${CROSS[@]}" \
		CC="ccache ${CROSS[0]#*=}${KCC:-gcc}" HOSTCC="ccache gcc" -j"$JOBS" "$@"
}

# Every line of the fragments must have got into the configuration: a symbol that was renamed, or
# whose dependency is off, would otherwise be lost without a word.
check_config()
{
	local fragments=$1 config=$2 line name lost=0
	while IFS= read -r line; do
		case $line in
		CONFIG_*=n | '# CONFIG_'*' is not set')
			name=$(sed -E 's/^(# )?(CONFIG_[A-Z0-9_a-z]+).*/\2/' <<<"$line")
			! grep -q "^$name=" "$config" || {
				echo "error: $name should be off, but is $(grep "^$name=" "$config")"
				lost=1
			}
			;;
		CONFIG_*)
			name=${line%%=*}
			grep -qxF -- "$line" "$config" || {
				echo "error: $line did not get into the configuration," \
					"which has: $(grep -E "^(# )?${name}[ =]" "$config" || echo nothing)"
				lost=1
			}
			;;
		esac
	done <"$fragments"
	return $lost
}

configure()
{
	kmake KCONFIG_ALLCONFIG="$OBJ/fragments.config" allnoconfig
	check_config "$OBJ/fragments.config" "$OBJ/.config"
	touch "$OBJ/configured"
}

# The later fragment wins: the lines it says otherwise are taken out of the earlier ones.
join_fragments()
{
	local file files=()
	for file in ${FRAGMENTS[$1]}; do
		files+=("$TOP/configs/$file.config")
	done
	cat "${files[@]}" | tac | awk '
		{ name = $0; sub(/^# /, "", name) }
		name !~ /^CONFIG_/ { next }
		{ sub(/[= ].*/, "", name) }
		!(name in seen) { seen[name] = 1; print }' | tac
}

# prepare_objects VARIANT: sets VARIANT and OBJ, with a configuration that is complete.
prepare_objects()
{
	local want old
	VARIANT=$1
	CROSS=(CROSS_COMPILE=)
	KCC=gcc
	[[ $VARIANT != *-clang ]] || KCC=clang
	if [[ ${KARCH[$VARIANT]} = arm64 ]]; then
		"$TOP/scripts/need" gcc-aarch64-linux-gnu
		CROSS=(CROSS_COMPILE=aarch64-linux-gnu-)
	fi
	want=$(join_fragments "$VARIANT")
	OBJ=$SRC/.$VARIANT-$(sha256sum <<<"$want" | cut -c1-12)
	if [[ ! -d $OBJ ]]; then
		need_space 4 "$CACHE"
		for old in $(ls -dt "$SRC/.$VARIANT"-???????????? 2>/dev/null | tail -n +$KEEP); do
			rm -rf "$old"
		done
		mkdir -p "$OBJ"
	fi
	echo "$want" >"$OBJ/fragments.config"
	# Ours may bring Kconfig symbols of its own, so the fragments are merged whenever they change.
	if [[ ! -e $OBJ/configured || -n $(find "$SRC/drivers/iommu" "$SRC/drivers/vfio" \
		-name Kconfig -newer "$OBJ/configured" -print -quit) ]]; then
		step "$VARIANT-config" "$VARIANT: configure" configure
	fi
	touch "$OBJ"
}
