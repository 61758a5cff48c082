# SPDX-License-Identifier: Apache-2.0
#
# In an emulated machine with cgroup v2 and pressure, with busybox: memory of tmpfs grows in cgroups
# with a limit, and what their files say each second is written as the unit tests read it:
#
#   tests/matrix/boot 6.12 --files observers/container/trials/ramps_v2.sh \
#     -- sh observers/container/trials/ramps_v2.sh | tar xf - -C observers/container/testdata/ramps
set -u
limit=33554432 # 32 MiB
mkdir -p /tmp/ramps /tmp/shm
mount -t tmpfs -o size=512m none /tmp/shm
cd /tmp/ramps || exit 1

now_ms() { # the clock of busybox has no more than seconds
	read -r up _ </proc/uptime
	echo $((${up%.*} * 1000 + 1${up#*.} * 10 - 1000))
}

key() { # NAME FILE
	while read -r name value; do
		[ "$name" = "$1" ] && echo "$value" && return
	done <"$2"
}

# Lines of: milliseconds, usage, what can be given back, killed so far, percent that waited.
watch() { # CGROUP KIND FILE SECONDS
	begin=$(now_ms) killed=
	while :; do
		ms=$(($(now_ms) - begin))
		read -r _ some _ <"$1/memory.pressure"
		kills=$(key oom_kill "$1/memory.events")
		back=$(($(key inactive_file "$1/memory.stat") + $(key active_file "$1/memory.stat") + \
			$(key slab_reclaimable "$1/memory.stat")))
		read -r usage <"$1/memory.current"
		echo "$ms $usage $back $kills ${some#avg10=}" >>"$3.body"
		[ "$kills" = 0 ] || killed=$((ms - 500)) # in the second before
		[ -z "$killed" ] && [ $ms -lt $(($4 * 1000)) ] || break
		sleep 1
	done
	{
		if [ -n "$killed" ]; then
			echo "# $2; limit $limit; killed at $((killed / 1000)).$((killed / 100 % 10)) s"
		else
			echo "# $2; limit $limit; not killed"
		fi
		cat "$3.body"
	} >"$3"
	rm "$3.body"
}

# So many KiB every half second, from 6 MiB on.
grow() { # NAME KIND KIB MOST_MIB SECONDS
	cgroup=/sys/fs/cgroup/$1
	mkdir "$cgroup"
	echo $limit >"$cgroup/memory.max"
	echo 0 >"$cgroup/memory.swap.max"
	sh -c "echo 0 >$cgroup/cgroup.procs
		dd if=/dev/zero of=/tmp/shm/$1 bs=1M count=6 2>/dev/null
		size=6144
		while [ \$size -lt $(($4 * 1024)) ]; do
			dd if=/dev/zero bs=1k count=$3 >>/tmp/shm/$1 2>/dev/null
			size=\$((size + $3))
			sleep 0.5
		done
		sleep 1000" &
	watch "$cgroup" "$2" "$1" "$5"
}

grow ramp_v2_0 ramp 390 64 100 &
grow ramp_v2_1 ramp 260 64 120 &
grow ramp_v2_2 ramp 180 64 150 &
grow stops_v2 "start-up, low" 200 14 100 &
sleep 110
while [ "$(ls | grep -c body)" != 0 ]; do sleep 1; done
tar cf - ./*_v2*
