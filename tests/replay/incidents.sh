#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# incidents.sh TAPIO NAME...: in an emulated machine of tests/matrix, with busybox. Records each of these
# incidents; the recordings leave by standard output, as a tar file.
set -u
tapio=$1
shift
cd /tmp || exit 1

begin() { # NAME: an emulated machine may need long to attach
	"$tapio" record "$1.rec" --no-sinks --socket "/run/$1.sock" >"$1.log" 2>&1 &
	recorder=$!
	until grep -q 'attached after' "$1.log"; do sleep 1; done
	sleep 2 # /proc and the cgroups are read
}

end() { # stories settle 2.5 s after what they are about
	sleep 8
	kill -INT "$recorder"
	wait "$recorder"
}

kills() {
	begin kills
	sleep 1000 &
	sh -c "kill -9 $!; sleep 0.2"
	timeout 1 sleep 9
	sh -c 'exit 137'
	busybox echo --password=correct-horse-battery
	end
}

oom() {
	mkdir /sys/fs/cgroup/web
	echo 16M >/sys/fs/cgroup/web/memory.max
	echo 0 >/sys/fs/cgroup/web/memory.swap.max
	begin oom
	sleep 3 # so that its memory has a history
	# `tail` keeps what has no line end.
	sh -c 'echo 0 >/sys/fs/cgroup/web/cgroup.procs; exec tail /dev/zero'
	end
	rmdir /sys/fs/cgroup/web
}

# Each process starts two and lives on, up to the limit of their cgroup.
fork_bomb() {
	mkdir /sys/fs/cgroup/bomb
	echo 80 >/sys/fs/cgroup/bomb/pids.max
	begin fork_bomb
	cat >bomb <<-'END'
		bomb() {
			bomb &
			bomb &
			sleep 10
		}
		bomb
	END
	sh -c 'echo 0 >/sys/fs/cgroup/bomb/cgroup.procs; exec sh ./bomb' >/dev/null 2>&1 &
	end
	while read -r pid; do kill -9 "$pid"; done </sys/fs/cgroup/bomb/cgroup.procs
}

crash_loop() {
	begin crash_loop
	for i in 1 2 3 4 5 6 7 8 9 10; do
		# shellcheck disable=SC2016 # of the shell that crashes
		sh -c 'kill -SEGV $$'
		sleep 0.5
	done
	end
}

for incident in "$@"; do "$incident" >/dev/null 2>&1; done
tar cf - ./*.rec ./*.log
