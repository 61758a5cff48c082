# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
#
# How the guest runs its command; for ./init and ./system/run, which are of two kinds of shell. The
# markers that ./boot looks for go to standard output, which is the kernel's serial port; the command
# has the other one, so its bytes reach the host untouched.

limit=600
output=''
# shellcheck source=/dev/null
. /matrix/environment

stop_after_limit() {
	sleep "$limit"
	: >/matrix/timed_out
	kill -TERM "-$1" # no `--`: the two shells differ there
	sleep 10
	kill -KILL "-$1"
}

# The session of its own lets the timeout reach the command's children.
run_command() {
	stty -F "$output" 115200 raw -echo
	cd "$(cat /matrix/cwd)" || cd /
	setsid /matrix/command </dev/null >"$output" 2>&1 &
	command_pid=$!
	stop_after_limit "$command_pid" >/dev/null 2>&1 &
	wait "$command_pid"
	code=$?
	[ ! -e /matrix/timed_out ] || code=124
	stty -F "$output" raw # returns when the port has sent everything
}

run_between_markers() {
	echo
	echo "TAPIO-MATRIX-BEGIN $(uname -r)"
	run_command
	dmesg -n 1 # no kernel message may cut the marker
	echo
	echo "TAPIO-MATRIX-END $code"
}
