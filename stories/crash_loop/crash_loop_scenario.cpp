// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>

#include "child.hpp"
#include "scenario.hpp"

namespace tapio::crash_loop {
namespace {

using Ready = Stage::Ready;

constexpr int kCrashes = 5;
constexpr int kTold = 3;         // observers.process.detect.crash.deaths
constexpr auto kPause = 20'000;  // microseconds

// A shell that calls a function without end: its stack overflows.
[[noreturn]] void become_what_crashes() {
  const rlimit stack{.rlim_cur = 256 << 10, .rlim_max = 256 << 10};
  ::setrlimit(RLIMIT_STACK, &stack);
  ::execl("/bin/sh", "sh", "-c", "f() { f; }; f", nullptr);
  ::_exit(126);
}

// Starts it again each time it has died; reports each pid.
int supervise(int go, int report) {
  char byte = 0;
  if (::read(go, &byte, 1) != 1) return 1;
  for (int i = 0; i < kCrashes; ++i) {
    const pid_t child = ::fork();
    if (child < 0) return 1;
    if (child == 0) become_what_crashes();
    int status = 0;
    if (::waitpid(child, &status, 0) != child || !WIFSIGNALED(status)) return 2;
    if (::write(report, &child, sizeof child) != sizeof child) return 1;
    ::usleep(kPause);
  }
  return 0;
}

Result<Expectation> by_a_supervisor(Stage& stage) {
  const auto go = TRY(Pipe::open());
  const auto report = TRY(Pipe::open());
  const auto supervisor = TRY(stage.start("supervisor", [&](const Ready& ready) {
    ready({});
    return supervise(go.reader.get(), report.writer.get());
  }));
  TRY(stage.incident());
  if (::write(go.writer.get(), "", 1) != 1) return from_errno(errno, "write to a pipe");
  TRY(stage.must_exit(supervisor.pid, 0));
  std::array<pid_t, kCrashes> dead{};
  if (::read(report.reader.get(), dead.data(), sizeof dead) != sizeof dead)
    return fail(Fault::broken, "the supervisor did not report all deaths");
  const pid_t told = dead[kTold - 1];
  stage.note(fmt::format("it started sh {} times, and each time sh died", kCrashes));
  return Expectation{.pid = told,
                     .title = "crash loop",
                     .name = "sh",
                     .kind = "fault",
                     .cause = told,
                     .says = {fmt::format("crashed {} times", kTold), "with SIGSEGV",
                              fmt::format("the first death: pid {} with SIGSEGV", dead[0]),
                              fmt::format("supervisor (pid {}) starts it again", supervisor.pid)},
                     .least_sure = 0.9};
}

// A copy of a program under a name that nobody else has, gone with this.
class Copy {
 public:
  static Result<Copy> of(const char* program, const std::string& name) {
    Copy copy(std::filesystem::temp_directory_path() / name);
    std::error_code failed;
    std::filesystem::copy_file(program, copy.path_, failed);
    if (failed) return from_errno(failed.value(), "copy a program");
    return copy;
  }
  Copy(Copy&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Copy& operator=(Copy&&) = delete;
  ~Copy() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove(path_, ignored);
  }
  [[nodiscard]] std::string path() const { return path_; }

 private:
  explicit Copy(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

// What scripts do all day.
Result<Expectation> by_a_shell_loop(Stage& stage) {
  const auto name = fmt::format("no_{}", ::getpid());
  const auto no = TRY(Copy::of("/bin/false", name));
  TRY(stage.incident());
  const pid_t shell = TRY(stage.run(
      {"sh", "-c", "i=0; until [ $i = 20 ]; do \"$0\" || i=$((i + 1)); done", no.path()}));
  TRY(stage.must_exit(shell, 0));
  return Expectation{.pid = shell, .nowhere = {name + " ended", name + " failed"}};
}

constexpr Scenario kScenarios[] = {
    {"crash_loop_of_a_shell", "A supervisor starts a program again each time it has crashed.",
     by_a_supervisor},
    {"until_loop", "A shell runs a program until it succeeds: no story.", by_a_shell_loop},
};

}  // namespace

extern std::span<const Scenario> scenarios();
std::span<const Scenario> scenarios() {
  return kScenarios;
}

}  // namespace tapio::crash_loop
