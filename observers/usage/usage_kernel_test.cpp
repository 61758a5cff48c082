// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <ctime>

#include "collected.hpp"
#include "usage_observer.hpp"
#include "usage_schemas.hpp"

namespace tapio::usage {
namespace {

using namespace std::chrono_literals;

constexpr const char* kName = "tapio_burns";

// A child that has used some CPU time and now waits.
class Burning {
 public:
  Burning() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_NAME, kName);
      while (std::clock() < CLOCKS_PER_SEC / 5) {
      }
      (void)!::write(ends[1], "x", 1);
      for (;;) ::pause();
    }
    char done = 0;
    EXPECT_EQ(::read(ends[0], &done, 1), 1);
    ::close(ends[0]);
    ::close(ends[1]);
  }
  ~Burning() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Burning(const Burning&) = delete;
  Burning& operator=(const Burning&) = delete;

 private:
  pid_t pid_ = -1;
};

TEST(UsageOnKernel, a_process_of_this_machine_is_told_with_what_it_used) {
  Collected out;
  UsageObserver observer(
      {.processes_per_second = 10'000, .largest = 500},
      Files(Fd(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)), live_outside()),
      live_outside().page_bytes());
  observer.on_tick(100s, out);
  const Burning child;
  observer.on_tick(110s, out);
  double cpus = 0;
  std::uint64_t bytes = 0, processes = 0, everybody = 0;
  for (const Record& record : out.records) {
    if (record.schema != &kProgram) continue;
    everybody += std::get<std::uint64_t>(record.values[2]);
    if (std::get<std::string_view>(record.values[0]) != kName) continue;
    processes += std::get<std::uint64_t>(record.values[2]);
    cpus += std::get<double>(record.values[3]);
    bytes += std::get<std::uint64_t>(record.values[4]);
  }
  EXPECT_EQ(processes, 1u);
  EXPECT_GE(cpus, 0.018) << "a fifth of a second in ten, less two ticks";
  EXPECT_GT(bytes, 0u);
  EXPECT_GT(everybody, 1u);
}

}  // namespace
}  // namespace tapio::usage
