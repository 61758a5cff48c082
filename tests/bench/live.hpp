// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "base/result.hpp"
#include "bench/workload.hpp"
#include "capture/channel.hpp"
#include "capture/programs.hpp"

namespace tapio::bench {

// One observer with its programs attached to the running kernel, without any limit of rate.
class Live {
 public:
  static Result<std::unique_ptr<Live>> start(const Descriptor& descriptor,
                                             const capture::Channel::OnBytes& on_bytes);

  void consume();  // all there is in the buffers
  [[nodiscard]] capture::Programs& programs() { return *programs_; }
  [[nodiscard]] Observer& observer() { return *observer_; }
  [[nodiscard]] std::unique_ptr<Observer> take_observer() { return std::move(observer_); }

 private:
  std::unique_ptr<capture::Channel> critical_;
  std::unique_ptr<capture::Programs> programs_;
  std::unique_ptr<Observer> observer_;
};

using Samples = std::vector<std::vector<std::byte>>;

// Makes the workload in a child, in a cgroup of its own, and waits for its end. Returns the id of
// that cgroup.
Result<std::uint64_t> make(const Workload& workload);

// What the kernel side sent of a workload, in order of time: recorded here and now, and of nobody
// else on this machine.
struct Recorded {
  const Workload& workload;
  Samples samples;
};
Result<Recorded> record(const Workload& workload);

// Nanoseconds that a copy of one of these samples takes, and nothing else.
[[nodiscard]] double copy_floor(const Samples& samples);

}  // namespace tapio::bench
