// SPDX-License-Identifier: Apache-2.0
#include "capture/run_time.hpp"

#include <bpf/bpf.h>

#include <cerrno>

namespace tapio::capture {

Result<RunTime> run_time(int program_fd) {
  bpf_prog_info info{};
  std::uint32_t size = sizeof info;
  if (bpf_obj_get_info_by_fd(program_fd, &info, &size))
    return from_errno(errno, "ask for a program's run time");
  return RunTime{.runs = info.run_cnt, .time = std::chrono::nanoseconds(info.run_time_ns)};
}

Result<Fd> count_run_time() {
  Fd counting(bpf_enable_stats(BPF_STATS_RUN_TIME));
  if (counting) return counting;
  if (errno == EINVAL) return fail(Fault::unsupported, "counting run time takes a kernel from 5.8");
  if (errno == EPERM) return fail(Fault::denied, "counting run time takes CAP_SYS_ADMIN");
  return from_errno(errno, "have the kernel count run time");
}

}  // namespace tapio::capture
