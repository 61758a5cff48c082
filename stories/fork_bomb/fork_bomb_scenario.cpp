// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "child.hpp"
#include "scenario.hpp"

namespace tapio::fork_bomb {
namespace {

using Ready = Stage::Ready;

constexpr rlim_t kMost = 320;           // processes of the bomb
constexpr uid_t kFirstUid = 2'000'000;  // nobody has it; with this process's pid on top
constexpr int kWorkers = 200;
constexpr int kJobs = 40;

// Until the pipe is closed, here and by the death of whoever plays this.
void wait_for_end(int pipe) {
  char byte = 0;
  while (::read(pipe, &byte, 1) < 0 && errno == EINTR) {
  }
}

void reap_all() {
  while (::wait(nullptr) > 0 || errno == EINTR) {
  }
}

// The limit is per user, and root has none.
bool become_limited() {
  const rlimit processes{.rlim_cur = kMost, .rlim_max = kMost};
  const auto id = kFirstUid + static_cast<uid_t>(::getpid());
  return ::setrlimit(RLIMIT_NPROC, &processes) == 0 && ::setgid(id) == 0 && ::setuid(id) == 0;
}

// Each forks two, which do the same, until the limit is reached: as `:(){ :|:& };:` does. Who
// forks without end may get to the limit alone before any child has had its turn, and then there
// are no generations.
int multiply(int go, int end) {
  if (!become_limited()) return 1;
  char byte = 0;
  if (::read(go, &byte, 1) != 1) return 1;
  for (int children = 0; children < 2; ++children)
    if (::fork() == 0) children = -1;  // it is the child's turn to fork two
  wait_for_end(end);
  reap_all();
  return 0;
}

// Runs `act(go, end)` in a process: it waits for a byte from `go`, and ends when `end` is closed.
Result<pid_t> play(Stage& stage, std::string_view name, int (*act)(int go, int end)) {
  auto go = TRY(Pipe::open());
  auto end = TRY(Pipe::open());
  const auto actor = TRY(stage.start(name, [&](const Ready& ready) {
    end.writer = Fd();
    ready({});
    return act(go.reader.get(), end.reader.get());
  }));
  TRY(stage.incident());
  if (::write(go.writer.get(), "", 1) != 1) return from_errno(errno, "write to a pipe");
  ::usleep(300'000);
  end.writer = Fd();
  TRY(stage.must_exit(actor.pid, 0));
  return actor.pid;
}

Result<Expectation> limited_by_its_user(Stage& stage) {
  const pid_t bomb = TRY(play(stage, "bomb", multiply));
  return Expectation{.pid = bomb,
                     .title = "fork bomb",
                     .name = "bomb",
                     .kind = "self",
                     .cause = bomb,
                     .says = {"multiplied to", "its children forked, and so on"},
                     .least_sure = 0.9};
}

Result<Expectation> many_workers(Stage& stage) {
  const pid_t master = TRY(play(stage, "master", [](int, int end) {
    for (int i = 0; i < kWorkers; ++i) {
      if (::fork() != 0) continue;
      wait_for_end(end);
      ::_exit(0);
    }
    wait_for_end(end);
    reap_all();
    return 0;
  }));
  return Expectation{.pid = master};
}

// As `make -j` does: a shell for each recipe, which runs programs.
Result<Expectation> parallel_jobs(Stage& stage) {
  const pid_t make = TRY(play(stage, "make", [](int, int) {
    for (int i = 0; i < kJobs; ++i) {
      if (::fork() != 0) continue;
      ::execl("/bin/sh", "sh", "-c", "(sleep 0.1; true) & (sleep 0.1; true) & wait", nullptr);
      ::_exit(126);
    }
    reap_all();
    return 0;
  }));
  return Expectation{.pid = make};
}

constexpr Scenario kScenarios[] = {
    {"fork_bomb_of_a_user",
     "A process and its children each fork two, until their user may not any more.",
     limited_by_its_user},
    {"prefork_server", "A server forks 200 workers: no story.", many_workers},
    {"parallel_build", "Forty shells run programs at the same time: no story.", parallel_jobs},
};

}  // namespace

extern std::span<const Scenario> scenarios();
std::span<const Scenario> scenarios() {
  return kScenarios;
}

}  // namespace tapio::fork_bomb
