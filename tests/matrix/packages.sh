# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# For the scripts of this directory: Debian packages, without a trace on the machine they run on.
# Whoever reads this file is a bash with `set -euo pipefail` and inherit_errexit.

readonly cache="${XDG_CACHE_HOME:-$HOME/.cache}/tapio"
readonly kDidNotRun=125         # the exit code of everything that is not the command's
readonly kKeyring=/usr/share/keyrings/debian-archive-keyring.gpg

fail() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit "$kDidNotRun"
}

note() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

require_tool() {
	local tool=$1 package=$2
	! type -P "$tool" >/dev/null || return 0
	note "$tool is missing: installing $package"
	apt-get install -y --no-install-recommends "$package" >&2 ||
		fail "cannot install $package; is apt-get update due?"
}

# The name of the Debian release that this machine runs: an image and a sysroot are of the same one.
own_suite() {
	# shellcheck source=/dev/null
	(. /etc/os-release && printf '%s' "${VERSION_CODENAME-}")
}

# The address of the mirror that this machine's apt already uses: security suites have their own.
mirror_for() {
	local suite=$1 codename
	codename=$(own_suite)
	[[ $suite != *-security ]] || codename+=-security
	# shellcheck disable=SC2016 # apt's variables, not the shell's
	apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' \
		'Created-By: Packages' 'Origin: Debian' |
		awk -v wanted="$codename" '$1 == wanted && $2 == "main" { print $3; exit }'
}

# private_apt STATE ARCHITECTURE TOOL [ARG...]: apt with sources, lists and archives of its own. It
# checks signatures, knows no installed package, and the machine's apt stays as it is.
private_apt() {
	local state=$1 architecture=$2 tool=$3
	shift 3
	"$tool" -qq -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts=- \
		-o Dir::State::Lists="$state/lists" -o Dir::Cache="$state/cache" \
		-o Dir::State::Status="$state/status" -o APT::Architecture="$architecture" \
		-o APT::Architectures::="$architecture" -o Acquire::Languages=none \
		-o APT::Sandbox::User="$(id -un)" "$@"
}

# update_index STATE ARCHITECTURE SUITE...
update_index() {
	local state=$1 architecture=$2 suite mirror
	shift 2
	mkdir -p "$state"/{lists,cache/archives}/partial
	: >"$state/status"
	for suite in "$@"; do
		mirror=$(mirror_for "$suite")
		[[ -n $mirror ]] || fail "apt knows no Debian mirror for $suite here"
		printf 'deb [arch=%s signed-by=%s] %s %s main\n' "$architecture" "$kKeyring" "$mirror" "$suite"
	done >"$state/sources.list"
	private_apt "$state" "$architecture" apt-get update >&2 || fail "cannot read the package index of $*"
}

# The words of a list of packages, without its comments.
packages_in() {
	grep -Ev '^(#|$)' "$1"
}

# fingerprint FILE...: what was made from these files is made again when one changes.
fingerprint() {
	{ own_suite && cat "$@"; } | sha256sum | cut -c 1-12
}

# keep_newest N PATH...: removes all but the last N that were made.
keep_newest() {
	local keep=$1
	shift
	ls -dt "$@" | tail -n +$((keep + 1)) | xargs -rd '\n' rm -rf
}
