// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cri_config.hpp"
#include "cri_worker.hpp"

namespace tapio::cri {

// All runtimes of a node, as the observer sees them. It never waits.
class Runtimes {
 public:
  virtual ~Runtimes() = default;
  // `runtime` as in Cgroup::runtime. There will be an answer in take(). `patient`: who does not
  // know it yet is asked again for a moment.
  virtual void look_up(const std::string& id, std::string_view runtime, bool awaited,
                       bool patient) = 0;
  // What they said since the last time, packed.
  [[nodiscard]] virtual std::string take() = 0;
};

// A worker for each socket that is there; where there was none, it looks again once in an interval.
class LiveRuntimes final : public Runtimes {
 public:
  // Where runtimes usually listen.
  [[nodiscard]] static std::vector<std::string> usual_sockets();

  explicit LiveRuntimes(const Config& config, MakeRuntime make = make_runtime);
  void look_up(const std::string& id, std::string_view runtime, bool awaited,
               bool patient) override;
  [[nodiscard]] std::string take() override;

 private:
  void find_sockets();

  WorkerOptions options_;
  std::vector<Socket> wanted_;  // at most Config::kMaxSockets, or the usual ones
  bool named_;                  // by the configuration: they have a worker each, socket or not
  MonotonicTime next_look_{};
  bool told_none_ = false;
  Outbox outbox_;
  std::vector<std::unique_ptr<Worker>> workers_;  // last: they use the rest
};

}  // namespace tapio::cri
