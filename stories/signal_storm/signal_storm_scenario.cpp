// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "child.hpp"
#include "scenario.hpp"

namespace tapio::signal_storm {
namespace {

using Ready = Stage::Ready;

constexpr int kSignals = 2000;
constexpr auto kPause = 1'500;  // microseconds

void take_it(int) {}

// Takes signals until the pipe is closed.
int endure(const Ready& ready, int end) {
  ::signal(SIGUSR1, take_it);
  ready({});
  char byte = 0;
  while (::read(end, &byte, 1) < 0 && errno == EINTR) {
  }
  return 0;
}

Result<Expectation> at_one_process(Stage& stage) {
  auto end = TRY(Pipe::open());
  const auto target = TRY(stage.start("target", [&](const Ready& ready) {
    end.writer = Fd();
    return endure(ready, end.reader.get());
  }));
  TRY(stage.incident());
  const auto flooder = TRY(stage.start("flooder", [&](const Ready& ready) {
    end.writer = Fd();
    ready({});
    for (int i = 0; i < kSignals && ::kill(target.pid, SIGUSR1) == 0; ++i) ::usleep(kPause);
    return 0;
  }));
  TRY(stage.must_exit(flooder.pid, 0));
  end.writer = Fd();
  TRY(stage.must_exit(target.pid, 0));
  return Expectation{.pid = target.pid,
                     .title = "signal storm",
                     .name = "target",
                     .kind = "process",
                     .cause = flooder.pid,
                     .cause_name = "flooder",
                     .says = {"sent at least", "SIGUSR1"},
                     .least_sure = 0.9};
}

constexpr Scenario kScenarios[] = {
    {"storm_at_one_process", "A process sends SIGUSR1 to another one two thousand times.",
     at_one_process},
};

}  // namespace

extern std::span<const Scenario> scenarios();
std::span<const Scenario> scenarios() {
  return kScenarios;
}

}  // namespace tapio::signal_storm
