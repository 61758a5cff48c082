// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

// What kernels wrote to /dev/kmsg when they killed, as it was read there; registers, stacks and
// statistics are left out, and the records numbered anew.
namespace tapio::kmsg {

// 6.18, cgroup v1: the limit of a cgroup above the victim's.
inline constexpr std::string_view kLog618 =
    R"log(4,401,1465651500,-;hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
4,402,1465651516,-;CPU: 0 UID: 0 PID: 3260 Comm: hog Not tainted 6.18.44 #1 PREEMPT(none) 
6,403,1465651838,-;memory: usage 16384kB, limit 16384kB, failcnt 78
6,404,1465651855,-;memory+swap: usage 16384kB, limit 9007199254740988kB, failcnt 0
6,405,1465651857,-;kmem: usage 48kB, limit 9007199254740988kB, failcnt 0
6,406,1465651859,-;Memory cgroup stats for /tapio-oomdev:
6,407,1465651935,-;total_inactive_anon 16666624
6,408,1465651941,-;Tasks state (memory values in pages):
6,409,1465651948,-;[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name
6,410,1465651951,-;[   2031]     0  2031     1277     1160     1024      136         0    49152        0             0 na,pid=1)me
6,411,1465651955,-;[   3260]     0  3260     3333     3176     3040      136         0    61440        0             0 hog
6,412,1465651959,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/tapio-oomdev,task_memcg=/tapio-oomdev/inner,task=hog,pid=3260,uid=0
3,413,1465651998,-;Memory cgroup out of memory: Killed process 3260 (hog) total-vm:13332kB, anon-rss:12160kB, file-rss:544kB, shmem-rss:0kB, UID:0 pgtables:60kB oom_score_adj:0
)log";

// 5.10, cgroup v2: the same.
inline constexpr std::string_view kLog510 =
    R"log(4,401,5654712,-;hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
4,402,5655189,-;CPU: 0 PID: 150 Comm: hog Not tainted 5.10.0-46-cloud-amd64 #1 Debian 5.10.262-1
6,403,5663441,-;memory: usage 16384kB, limit 16384kB, failcnt 49
6,404,5663465,-;swap: usage 0kB, limit 9007199254740988kB, failcnt 0
6,405,5663478,-;Memory cgroup stats for /tapio:
6,406,5664374,-;anon 16625664\x0afile 0\x0akernel_stack 0\x0apercpu 0\x0asock 0\x0ashmem 0\x0afile_mapped 0\x0afile_dirt
6,407,5664423,-;Tasks state (memory values in pages):
6,408,5664452,-;[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
6,409,5664688,-;[    148]     0   148     1275     1138    45056        0             0 na,pid=1)me
6,410,5664735,-;[    150]     0   150     3331     3183    69632        0             0 hog
6,411,5664917,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=tapio,mems_allowed=0,oom_memcg=/tapio,task_memcg=/tapio/inner,task=hog,pid=150,uid=0
3,412,5670656,-;Memory cgroup out of memory: Killed process 150 (hog) total-vm:13324kB, anon-rss:12080kB, file-rss:4kB, shmem-rss:648kB, UID:0 pgtables:68kB oom_score_adj:0
)log";

// 6.1: the node as a whole.
inline constexpr std::string_view kLog61 =
    R"log(4,401,17498982,-;hog invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO), order=0, oom_score_adj=0
4,402,17499375,-;CPU: 1 PID: 164 Comm: hog Not tainted 6.1.0-56-cloud-amd64 #1  Debian 6.1.192-2
4,403,17502864,-;Mem-Info:
6,404,17508486,-;Tasks state (memory values in pages):
6,405,17508493,-;[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
6,406,17508588,-;[    147]     0   147      565      431    28672        0             0 sh
6,407,17508609,-;[    148]     0   148      565       25    28672        0             0 init
6,408,17508624,-;[    149]     0   149      565        1    28672        0             0 sleep
6,409,17508637,-;[    164]     0   164    46764    46612   409600        0             0 hog
6,410,17508654,-;oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=hog,pid=164,uid=0
3,411,17508859,-;Out of memory: Killed process 164 (hog) total-vm:187056kB, anon-rss:185796kB, file-rss:4kB, shmem-rss:648kB, UID:0 pgtables:400kB oom_score_adj:0
)log";

// 7.2: a cgroup with memory.oom.group.
inline constexpr std::string_view kLog72 =
    R"log(4,401,9551010,-;hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
4,402,9551348,-;CPU: 1 UID: 0 PID: 178 Comm: hog Not tainted 7.2.12+deb14-cloud-amd64 #1 PREEMPT(lazy)  Debian 7.2.12-1 
6,403,9551853,-;memory: usage 16384kB, limit 16384kB, failcnt 18
6,404,9555633,-;swap: usage 0kB, limit 9007199254740988kB, failcnt 0
6,405,9555657,-;Memory cgroup stats for /group:
6,406,9555808,-;anon 16502784
4,407,9556244,-;Memory cgroup min protection 0kB -- low protection 0kB
6,408,9556252,-;Tasks state (memory values in pages):
6,409,9556390,-;[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name
6,410,9556425,-;[    176]     0   176     1277     1202     1039        1       162    53248        0             0 hog
6,411,9556449,-;[    178]     0   178     3333     3175     3012        1       162    61440        0             0 hog
6,412,9556469,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=group,mems_allowed=0,oom_memcg=/group,task_memcg=/group,task=hog,pid=178,uid=0
3,413,9557178,-;Memory cgroup out of memory: Killed process 178 (hog) total-vm:13332kB, anon-rss:12048kB, file-rss:4kB, shmem-rss:648kB, UID:0 pgtables:60kB oom_score_adj:0
6,414,9557709,-;Tasks in /group are going to be killed due to memory.oom.group set
3,415,9558584,-;Memory cgroup out of memory: Killed process 176 (hog) total-vm:5108kB, anon-rss:4156kB, file-rss:4kB, shmem-rss:648kB, UID:0 pgtables:52kB oom_score_adj:0
3,416,9559060,-;Memory cgroup out of memory: Killed process 178 (hog) total-vm:13332kB, anon-rss:12048kB, file-rss:4kB, shmem-rss:648kB, UID:0 pgtables:60kB oom_score_adj:0
)log";

}  // namespace tapio::kmsg
