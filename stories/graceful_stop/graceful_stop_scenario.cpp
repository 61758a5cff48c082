// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "child.hpp"
#include "scenario.hpp"

namespace tapio::graceful_stop {
namespace {

using namespace std::chrono_literals;
using Ready = Stage::Ready;

// Takes its time, and ends in good order.
int serve_until_asked(const Ready& ready) {
  sigset_t term;
  ::sigemptyset(&term);
  ::sigaddset(&term, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &term, nullptr);
  ready({});
  int signal = 0;
  ::sigwait(&term, &signal);
  std::this_thread::sleep_for(300ms);
  return 0;
}

Result<pid_t> kill_from_a_shell(Stage& stage, pid_t victim, std::string_view signal) {
  const pid_t shell =
      TRY(stage.run({"sh", "-c", fmt::format("kill -{} $0", signal), std::to_string(victim)}));
  TRY(stage.must_exit(shell, 0));
  return shell;
}

// Who had run for less than 10 s is no story when it ends with 0; see README.md.
Result<Expectation> a_service(Stage& stage) {
  const pid_t server = TRY(stage.start("server", serve_until_asked)).pid;
  stage.note("it runs for 11 s");
  std::this_thread::sleep_for(11s);
  TRY(stage.incident());
  const pid_t shell = TRY(kill_from_a_shell(stage, server, "TERM"));
  TRY(stage.must_exit(server, 0));
  return Expectation{.pid = server,
                     .name = "server",
                     .kind = "process",
                     .cause = shell,
                     .cause_name = "sh",
                     .says = {fmt::format("stopped when asked with SIGTERM by sh (pid {})", shell),
                              "exited by itself with status 0"},
                     .least_sure = 0.85};
}

Result<Expectation> a_helper(Stage& stage) {
  const pid_t helper = TRY(stage.start("helper", serve_until_asked)).pid;
  TRY(stage.incident());
  TRY(kill_from_a_shell(stage, helper, "TERM"));
  TRY(stage.must_exit(helper, 0));
  return Expectation{.pid = helper};
}

// Asks, waits, and loses patience: one sender.
Result<Expectation> one_that_does_not(Stage& stage) {
  const pid_t victim = TRY(stage.start("victim", [](const Ready& ready) -> int {
                         ::signal(SIGTERM, [](int) {});
                         ready({});
                         sleep_until_killed();
                       })).pid;
  TRY(stage.incident());
  const auto stopper = TRY(stage.start("stopper", [victim](const Ready& ready) {
    ready({});
    if (::kill(victim, SIGTERM) != 0) return 1;
    std::this_thread::sleep_for(1s);
    return ::kill(victim, SIGKILL) == 0 ? 0 : 1;
  }));
  TRY(stage.must_exit(stopper.pid, 0));
  TRY(stage.must_be_killed(victim, SIGKILL));
  return Expectation{.pid = victim,
                     .name = "victim",
                     .kind = "process",
                     .cause = stopper.pid,
                     .cause_name = "stopper",
                     .says = {"was killed with SIGKILL by stopper",
                              "it had been asked with SIGTERM 1 s before and did not end"},
                     .least_sure = 0.95};
}

constexpr Scenario kScenarios[] = {
    {"graceful_stop", "A server is asked to end with SIGTERM, and exits with 0.", a_service},
    {"helper_stopped", "The same of a helper that had just begun: no story.", a_helper},
    {"stop_refused", "One does not end when it is asked, and is killed by who asked.",
     one_that_does_not},
};

}  // namespace

extern std::span<const Scenario> scenarios();
std::span<const Scenario> scenarios() {
  return kScenarios;
}

}  // namespace tapio::graceful_stop
