// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <thread>

#include "child.hpp"
#include "facts/facts.hpp"
#include "scenario.hpp"

namespace tapio::killed {
namespace {

using namespace std::chrono_literals;
using Ready = Stage::Ready;

constexpr double kSure = 0.95;

std::string process(std::string_view name, pid_t pid) {
  return fmt::format("{} (pid {})", name, pid);
}

// The one that plays the scenario, and starts all others.
std::string this_process() {
  char comm[16]{};  // TASK_COMM_LEN
  ::prctl(PR_GET_NAME, comm);
  return process(comm, ::getpid());
}

// What every story about a kill by another process must say.
Expectation killed_by(pid_t victim, int signal, std::string_view name, pid_t sender) {
  return {
      .pid = victim,
      .name = "victim",
      .kind = "process",
      .cause = sender,
      .cause_name = std::string(name),
      .says = {fmt::format("was killed with {} by {}", signal_name(signal), process(name, sender)),
               this_process()},
      .least_sure = kSure};
}

// Forks a process that makes one system call, and ends.
Result<pid_t> call(Stage& stage, std::string_view name, const std::function<long()>& system_call) {
  const auto caller = TRY(stage.start(name, [&](const Ready& ready) {
    ready({});
    return system_call() < 0 ? 1 : 0;
  }));
  TRY(stage.must_exit(caller.pid, 0));
  return caller.pid;
}

Result<pid_t> kill_from_a_shell(Stage& stage, pid_t victim, std::string_view signal,
                                std::string_view more = "") {
  const pid_t shell = TRY(
      stage.run({"sh", "-c", fmt::format("kill -{} $0{}", signal, more), std::to_string(victim)}));
  TRY(stage.must_exit(shell, 0));
  return shell;
}

Result<Expectation> by_a_shell(Stage& stage) {
  const pid_t victim = TRY(stage.sleeper("victim"));
  TRY(stage.incident());
  const pid_t shell = TRY(kill_from_a_shell(stage, victim, "KILL"));
  TRY(stage.must_be_killed(victim, SIGKILL));
  auto expected = killed_by(victim, SIGKILL, "sh", shell);
  expected.says.push_back(fmt::format("{} started {}", this_process(), process("sh", shell)));
  return expected;
}

Result<Expectation> to_a_thread(Stage& stage) {
  const auto victim = TRY(stage.start("victim", [](const Ready& ready) -> int {
    std::thread([&ready] {
      ready({::gettid()});
      sleep_until_killed();
    }).detach();
    sleep_until_killed();
  }));
  const pid_t thread = victim.reported[0];
  stage.note(fmt::format("it has a second thread (tid {}), which gets the signal", thread));
  TRY(stage.incident());
  const pid_t sender = TRY(
      call(stage, "tgkill", [&] { return ::syscall(SYS_tgkill, victim.pid, thread, SIGTERM); }));
  TRY(stage.must_be_killed(victim.pid, SIGTERM));
  auto expected = killed_by(victim.pid, SIGTERM, "tgkill", sender);
  expected.says.push_back(
      fmt::format("to one thread of {}, with tgkill", process("victim", victim.pid)));
  return expected;
}

Result<Expectation> through_a_pidfd(Stage& stage) {
  const pid_t victim = TRY(stage.sleeper("victim"));
  TRY(stage.incident());
  const pid_t sender = TRY(call(stage, "pidfd", [&] {
    const long pidfd = ::syscall(SYS_pidfd_open, victim, 0);
    return pidfd < 0 ? pidfd : ::syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
  }));
  TRY(stage.must_be_killed(victim, SIGKILL));
  return killed_by(victim, SIGKILL, "pidfd", sender);
}

// A pid namespace of two, and the process outside that made them and waits for them.
struct Namespace {
  pid_t keeper, init, victim;  // as the host has them
  pid_t inner_victim;          // as the namespace has it
};

// Waits for the pid of a sibling, and kills it.
[[noreturn]] void serve_as_init(int orders) {
  pid_t sibling = 0;
  if (::read(orders, &sibling, sizeof sibling) == sizeof sibling) ::kill(sibling, SIGKILL);
  sleep_until_killed();
}

// The keeper exits with 0 once the victim was killed with SIGKILL.
int keep_namespace(Stage& stage, int orders, const Ready& ready) {
  if (::unshare(CLONE_NEWPID) != 0) return 1;
  const auto init = stage.start("ns_init", [&](const Ready& up) -> int {
    up({});
    serve_as_init(orders);
  });
  const auto victim = stage.start("victim", [](const Ready& up) -> int {
    up({::getpid()});
    sleep_until_killed();
  });
  if (!init || !victim) return 1;
  ready({init->pid, victim->pid, victim->reported[0]});
  return stage.must_be_killed(victim->pid, SIGKILL) ? 0 : 1;
}

Result<Namespace> make_namespace(Stage& stage, int orders) {
  const auto keeper = TRY(stage.start(
      "keeper", [&](const Ready& ready) { return keep_namespace(stage, orders, ready); }));
  const auto [init, victim, inner, unused] = keeper.reported;
  stage.note(fmt::format(
      "it made a pid namespace with ns_init (pid {}, inside 1) and victim (pid {}, inside {})",
      init, victim, inner));
  return Namespace{.keeper = keeper.pid, .init = init, .victim = victim, .inner_victim = inner};
}

Result<Expectation> into_a_pid_namespace(Stage& stage) {
  const auto orders = TRY(Pipe::open());
  const auto inside = TRY(make_namespace(stage, orders.reader.get()));
  TRY(stage.incident());
  const pid_t shell = TRY(kill_from_a_shell(stage, inside.victim, "KILL"));
  TRY(stage.must_exit(inside.keeper, 0));
  auto expected = killed_by(inside.victim, SIGKILL, "sh", shell);
  expected.says.emplace_back("from another pid namespace");
  return expected;
}

Result<Expectation> inside_a_pid_namespace(Stage& stage) {
  const auto orders = TRY(Pipe::open());
  const auto inside = TRY(make_namespace(stage, orders.reader.get()));
  TRY(stage.incident());
  stage.note(fmt::format("ns_init kills pid {} of its namespace", inside.inner_victim));
  if (::write(orders.writer.get(), &inside.inner_victim, sizeof(pid_t)) != sizeof(pid_t))
    return from_errno(errno, "order the first process to kill");
  TRY(stage.must_exit(inside.keeper, 0));
  auto expected = killed_by(inside.victim, SIGKILL, "ns_init", inside.init);
  expected.says_not = {"another pid namespace", fmt::format("(pid {})", inside.inner_victim)};
  return expected;
}

Result<Expectation> with_its_pid_namespace(Stage& stage) {
  const auto orders = TRY(Pipe::open());
  const auto inside = TRY(make_namespace(stage, orders.reader.get()));
  TRY(stage.incident());
  const pid_t shell = TRY(kill_from_a_shell(stage, inside.init, "KILL"));
  TRY(stage.must_exit(inside.keeper, 0));
  return Expectation{.pid = inside.victim,
                     .name = "victim",
                     .kind = "kernel",
                     .says = {fmt::format("by the kernel because {}, the first process of its pid "
                                          "namespace, was killed with SIGKILL by {}",
                                          process("ns_init", inside.init), process("sh", shell))},
                     .least_sure = 0.9};
}

// Does not take SIGTERM before it has waited for 300 ms.
int put_off_sigterm(const Ready& ready) {
  sigset_t term, pending;
  ::sigemptyset(&term);
  ::sigaddset(&term, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &term, nullptr);
  ready({});
  do {
    std::this_thread::sleep_for(1ms);
    ::sigpending(&pending);
  } while (::sigismember(&pending, SIGTERM) == 0);
  std::this_thread::sleep_for(300ms);
  ::sigprocmask(SIG_UNBLOCK, &term, nullptr);
  sleep_until_killed();
}

Result<Expectation> by_one_that_is_gone(Stage& stage) {
  const pid_t victim = TRY(stage.start("victim", put_off_sigterm)).pid;
  TRY(stage.incident());
  const auto starter = TRY(stage.start("starter", [&](const Ready& ready) {
    ::setsid();
    if (::fork() != 0) return 0;
    ::prctl(PR_SET_NAME, "sender");
    ready({::getpid()});
    return ::kill(victim, SIGTERM);
  }));
  const pid_t sender = starter.reported[0];
  stage.note(fmt::format("it forked a sender (pid {}) in a session of its own", sender));
  TRY(stage.must_exit(starter.pid, 0));
  TRY(stage.must_be_killed(victim, SIGTERM));
  auto expected = killed_by(victim, SIGTERM, "sender", sender);
  expected.says.push_back(fmt::format("(pid {}) itself ended", sender));
  expected.says.push_back(fmt::format("(pid {}) started", starter.pid));
  return expected;
}

Result<Expectation> after_another_signal(Stage& stage) {
  const pid_t victim = TRY(stage.start("victim", [](const Ready& ready) -> int {
                         ::signal(SIGTERM, [](int) {});
                         ready({});
                         sleep_until_killed();
                       })).pid;
  TRY(stage.incident());
  const pid_t first = TRY(kill_from_a_shell(stage, victim, "TERM"));
  const pid_t second = TRY(kill_from_a_shell(stage, victim, "KILL"));
  TRY(stage.must_be_killed(victim, SIGKILL));
  auto expected = killed_by(victim, SIGKILL, "sh", second);
  expected.says_not = {fmt::format("(pid {})", first), "SIGTERM"};
  return expected;
}

Result<Expectation> caught_and_raised_again(Stage& stage) {
  const pid_t victim = TRY(stage.start("victim", [](const Ready& ready) -> int {
                         ::signal(SIGTERM, [](int signal) {
                           ::signal(signal, SIG_DFL);
                           ::raise(signal);
                         });
                         ready({});
                         sleep_until_killed();
                       })).pid;
  TRY(stage.incident());
  const pid_t shell = TRY(kill_from_a_shell(stage, victim, "TERM"));
  TRY(stage.must_be_killed(victim, SIGTERM));
  auto expected = killed_by(victim, SIGTERM, "sh", shell);
  expected.says.emplace_back("caught SIGTERM and then sent it to itself");
  expected.least_sure = 0.85;
  return expected;
}

Result<Expectation> caught_and_exited(Stage& stage) {
  constexpr int kStatus = 128 + SIGTERM;
  const pid_t victim = TRY(stage.start("victim", [](const Ready& ready) -> int {
                         ::signal(SIGTERM, [](int) { ::_exit(kStatus); });
                         ready({});
                         sleep_until_killed();
                       })).pid;
  TRY(stage.incident());
  const pid_t shell = TRY(kill_from_a_shell(stage, victim, "TERM"));
  TRY(stage.must_exit(victim, kStatus));
  return Expectation{.pid = victim,
                     .name = "victim",
                     .kind = "process",
                     .cause = shell,
                     .cause_name = "sh",
                     .says = {"exited with status 143 after SIGTERM from"},
                     .least_sure = 0.85};
}

// The value of an option in the sender's arguments may not get out.
Result<Expectation> by_one_with_a_secret(Stage& stage) {
  const pid_t victim = TRY(stage.sleeper("victim"));
  TRY(stage.incident());
  const pid_t shell =
      TRY(kill_from_a_shell(stage, victim, "KILL", "; : --password=Hunter22-tapio"));
  TRY(stage.must_be_killed(victim, SIGKILL));
  auto expected = killed_by(victim, SIGKILL, "sh", shell);
  expected.recorded = {"--password=***"};
  expected.nowhere = {"Hunter22"};
  return expected;
}

// The access is what the scenario wants, so no sanitizer may stop it.
[[gnu::noinline]] __attribute__((no_sanitize("address", "undefined"))) void write_to_nowhere() {
  volatile int* volatile nowhere = nullptr;
  *nowhere = 1;
}

Result<Expectation> null_pointer(Stage& stage) {
  TRY(stage.incident());
  const pid_t victim = TRY(stage.start("victim", [](const Ready& ready) {
                         ready({});
                         write_to_nowhere();
                         return 0;
                       })).pid;
  TRY(stage.must_be_killed(victim, SIGSEGV));
  return Expectation{.pid = victim,
                     .name = "victim",
                     .kind = "fault",
                     .cause = victim,
                     .says = {"crashed with SIGSEGV", "address not mapped"},
                     .least_sure = kSure};
}

Result<Expectation> abort_call(Stage& stage) {
  TRY(stage.incident());
  const pid_t victim = TRY(stage.start("victim", [](const Ready& ready) -> int {
                         ready({});
                         ::abort();
                       })).pid;
  TRY(stage.must_be_killed(victim, SIGABRT));
  return Expectation{.pid = victim,
                     .name = "victim",
                     .kind = "self",
                     .cause = victim,
                     .says = {"killed itself with SIGABRT", "as abort() does"},
                     .least_sure = kSure};
}

Result<Expectation> alarm_call(Stage& stage) {
  TRY(stage.incident());
  const pid_t victim = TRY(stage.start("victim", [](const Ready& ready) -> int {
                         ready({});
                         ::alarm(1);
                         sleep_until_killed();
                       })).pid;
  TRY(stage.must_be_killed(victim, SIGALRM));
  return Expectation{.pid = victim,
                     .name = "victim",
                     .kind = "timer",
                     .cause = victim,
                     .says = {"SIGALRM", "its own timer"},
                     .least_sure = kSure};
}

Result<Expectation> exit_137(Stage& stage) {
  TRY(stage.incident());
  const pid_t shell = TRY(stage.run({"sh", "-c", "exit 137"}));
  TRY(stage.must_exit(shell, 137));
  return Expectation{.pid = shell,
                     .name = "sh",
                     .kind = "self",
                     .cause = shell,
                     .says = {"exited with status 137 by itself: nobody killed it"},
                     .least_sure = kSure};
}

Result<Expectation> child_of_a_shell(Stage& stage) {
  const pid_t shell = TRY(stage.run({"sh", "-c", "/bin/sleep 100; exit $?"}));
  const pid_t child = TRY(stage.child_of(shell, "sleep"));
  stage.note(fmt::format("its child {} is killed by {}", process("sleep", child), this_process()));
  TRY(stage.incident());
  if (::kill(child, SIGKILL) != 0) return from_errno(errno, "kill");
  TRY(stage.must_exit(shell, 137));
  return Expectation{.pid = shell,
                     .name = "sh",
                     .kind = "self",
                     .cause = child,
                     .cause_name = "sleep",
                     .says = {"exited with status 137 because its child",
                              fmt::format("{} was killed with SIGKILL by {}",
                                          process("sleep", child), this_process())},
                     .least_sure = kSure};
}

Result<Expectation> closed_pipe(Stage& stage) {
  TRY(stage.incident());
  const pid_t writer = TRY(stage.start("writer", [](const Ready& ready) {
                         ready({});
                         int ends[2];
                         if (::pipe(ends) != 0) return 1;
                         ::close(ends[0]);
                         return ::write(ends[1], "x", 1) == 1 ? 2 : 3;
                       })).pid;
  TRY(stage.must_be_killed(writer, SIGPIPE));
  return Expectation{.pid = writer};
}

Result<Expectation> exit_with(Stage& stage, int status) {
  TRY(stage.incident());
  const pid_t shell = TRY(stage.run({"sh", "-c", fmt::format("exit {}", status)}));
  TRY(stage.must_exit(shell, status));
  return Expectation{.pid = shell};
}

constexpr Scenario kScenarios[] = {
    {"kill_from_a_shell", "A shell kills a process with its builtin kill: kill(2).", by_a_shell},
    {"tgkill_to_a_thread", "SIGTERM goes to one thread of a process: tgkill(2).", to_a_thread},
    {"pidfd_send_signal", "A process is killed through a pidfd: pidfd_send_signal(2).",
     through_a_pidfd},
    {"into_a_pid_namespace", "The victim is in another pid namespace than its killer.",
     into_a_pid_namespace},
    {"inside_a_pid_namespace",
     "The first process of a pid namespace kills another there, by the pid that it has inside.",
     inside_a_pid_namespace},
    {"with_its_pid_namespace",
     "The first process of a pid namespace is killed, and the kernel kills the others.",
     with_its_pid_namespace},
    {"sender_already_gone",
     "The sender has ended, in a session of its own, long before its SIGTERM is taken.",
     by_one_that_is_gone},
    {"survived_one_signal", "One sends SIGTERM, which is survived; another sends SIGKILL.",
     after_another_signal},
    {"caught_and_raised_again", "A process catches SIGTERM and raises it again, as is good custom.",
     caught_and_raised_again},
    {"caught_and_exited", "A process catches SIGTERM and exits with status 143.",
     caught_and_exited},
    {"secret_of_the_sender", "The arguments of the killing shell hold a password.",
     by_one_with_a_secret},
    {"null_pointer", "A process writes through a null pointer.", null_pointer},
    {"abort", "A process calls abort(3).", abort_call},
    {"alarm", "A process does not handle the alarm that it has set: alarm(2).", alarm_call},
    {"exit_137", "A shell exits with status 137, and nobody killed anything.", exit_137},
    {"child_of_a_shell", "A shell exits with status 137 because its child was killed.",
     child_of_a_shell},
    {"closed_pipe", "A writer to a closed pipe dies by SIGPIPE: not worth a story.", closed_pipe},
    {"exit_0", "A process exits with status 0: no story.",
     [](Stage& stage) { return exit_with(stage, 0); }},
    {"exit_1", "A process exits with status 1: no story.",
     [](Stage& stage) { return exit_with(stage, 1); }},
};

}  // namespace

extern std::span<const Scenario> scenarios();
std::span<const Scenario> scenarios() {
  return kScenarios;
}

}  // namespace tapio::killed
