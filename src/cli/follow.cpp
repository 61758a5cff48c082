// SPDX-License-Identifier: Apache-2.0
#include "cli/follow.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/clock.hpp"
#include "cli/signals.hpp"

namespace tapio::cli {

namespace {

// False: the handler has enough.
Result<bool> hand_over(serve::Stream& stream, const Follow& handle, MonotonicTime end) {
  while (monotonic_now() < end) {
    const auto line = TRY(stream.next());
    if (!line) break;
    if (!TRY(handle.on_line(*line))) return TRY(handle.on_pause()) && false;
  }
  return handle.on_pause();
}

int milliseconds_until(MonotonicTime end) {
  constexpr std::int64_t kMost = 60'000;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - monotonic_now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, kMost));
}

}  // namespace

Status follow(serve::Stream& stream, std::optional<std::chrono::milliseconds> duration,
              const Follow& handle) {
  const auto interrupts = TRY(Signals::take({SIGINT, SIGTERM}));
  const MonotonicTime end = duration ? monotonic_now() + *duration : MonotonicTime::max();
  // The reader of standard output may go while nothing comes.
  std::array<pollfd, 3> polled{
      {{stream.socket(), POLLIN, 0}, {interrupts->fd(), POLLIN, 0}, {STDOUT_FILENO, 0, 0}}};
  while (monotonic_now() < end) {
    if (!TRY(hand_over(stream, handle, end))) break;
    if (stream.ended()) return fail(Fault::unavailable, "the agent stopped");
    ::poll(polled.data(), polled.size(), milliseconds_until(end));
    if (polled[1].revents != 0 || (polled[2].revents & POLLERR) != 0) break;
  }
  if (stream.skipped() > 0)
    note(fmt::format("{} lines of the agent were too long and are not shown", stream.skipped()));
  return {};
}

}  // namespace tapio::cli
