// SPDX-License-Identifier: Apache-2.0
#include "agent/own_usage.hpp"

#include <unistd.h>

#include <ctime>
#include <fstream>

namespace tapio::agent {

namespace {

std::chrono::nanoseconds read(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

std::uint64_t resident_bytes() {
  std::uint64_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::chrono::nanoseconds cpu_time() {
  return read(CLOCK_PROCESS_CPUTIME_ID);
}

std::chrono::nanoseconds cpu_time_of_this_thread() {
  return read(CLOCK_THREAD_CPUTIME_ID);
}

}  // namespace tapio::agent
