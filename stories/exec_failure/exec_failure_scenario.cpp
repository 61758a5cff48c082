// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.hpp"
#include "scenario.hpp"

namespace tapio::exec_failure {
namespace {

using Ready = Stage::Ready;

constexpr int kAttempts = 25;    // enough where only exit statuses are seen, too
constexpr auto kPause = 20'000;  // microseconds
constexpr const char* kMissing = "/nonexistent/service";

int try_again_and_again() {
  for (int i = 0; i < kAttempts; ++i) {
    const pid_t child = ::fork();
    if (child < 0) return 1;
    if (child == 0) {
      ::execl(kMissing, kMissing, nullptr);
      ::_exit(127);
    }
    if (::waitpid(child, nullptr, 0) != child) return 1;
    ::usleep(kPause);
  }
  return 0;
}

Result<Expectation> of_a_missing_file(Stage& stage) {
  const auto go = TRY(Pipe::open());
  const auto supervisor = TRY(stage.start("supervisor", [&](const Ready& ready) {
    ready({});
    char byte = 0;
    return ::read(go.reader.get(), &byte, 1) == 1 ? try_again_and_again() : 1;
  }));
  TRY(stage.incident());
  if (::write(go.writer.get(), "", 1) != 1) return from_errno(errno, "write to a pipe");
  TRY(stage.must_exit(supervisor.pid, 0));
  return Expectation{.pid = supervisor.pid,
                     .name = "supervisor",
                     .kind = "self",
                     .cause = supervisor.pid,
                     .says = {"times in", "goes on trying to start"},
                     .least_sure = 0.6};
}

constexpr Scenario kScenarios[] = {
    {"missing_program", "A supervisor tries to start a program that is not there.",
     of_a_missing_file},
};

}  // namespace

extern std::span<const Scenario> scenarios();
std::span<const Scenario> scenarios() {
  return kScenarios;
}

}  // namespace tapio::exec_failure
