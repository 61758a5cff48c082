#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# incidents.sh TAPIO NAME...: in an emulated machine of tests/matrix, with busybox. Records each of these
# incidents; the recordings leave by standard output, as a tar file.
set -u
tapio=$1
shift
cd /tmp || exit 1

record() { # NAME SECONDS: beside the incident
	"$tapio" record "$1.rec" --no-sinks --socket "/run/$1.sock" --for "$2s" 2>"$1.log" &
	recorder=$!
	sleep 4 # as long as an emulated machine may need to attach
}

kills() {
	record kills 20
	sleep 1000 &
	sh -c "kill -9 $!; sleep 0.2"
	timeout 1 sleep 9
	sh -c 'exit 137'
	echo --password=correct-horse-battery
	wait "$recorder"
}

oom() {
	mkdir /sys/fs/cgroup/web
	echo 16M >/sys/fs/cgroup/web/memory.max
	echo 0 >/sys/fs/cgroup/web/memory.swap.max
	record oom 25
	sleep 3
	# `tail` keeps what has no line end.
	sh -c 'echo $$ >/sys/fs/cgroup/web/cgroup.procs; exec tail /dev/zero'
	wait "$recorder"
	rmdir /sys/fs/cgroup/web
}

# Each process starts two and lives on, up to a limit that ends it.
fork_bomb() {
	mkdir /sys/fs/cgroup/bomb
	echo 150 >/sys/fs/cgroup/bomb/pids.max
	record fork_bomb 20
	cat >bomb <<-'END'
		#!/bin/sh
		bomb() {
			bomb &
			bomb &
			sleep 6
		}
		bomb
	END
	sh -c 'echo $$ >/sys/fs/cgroup/bomb/cgroup.procs; exec sh ./bomb' 2>/dev/null
	wait "$recorder"
	while read -r pid; do kill -9 "$pid"; done </sys/fs/cgroup/bomb/cgroup.procs
}

crash_loop() {
	record crash_loop 25
	for i in 1 2 3 4 5 6 7 8 9 10; do
		sh -c 'kill -SEGV $$'
		sleep 0.5
	done
	wait "$recorder"
}

for incident in "$@"; do "$incident" >/dev/null 2>&1; done
tar cf - ./*.rec ./*.log
