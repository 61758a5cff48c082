// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "base/bucket.hpp"
#include "container.abi.h"
#include "container_boundary.hpp"
#include "container_config.hpp"
#include "container_lifecycle.hpp"
#include "container_memory.hpp"
#include "container_schemas.hpp"
#include "node_files.hpp"
#include "observer.hpp"
#include "watch.hpp"

namespace tapio::container {

// Turns events and readings of cgroups into facts and records. Knows nothing of libbpf; a test
// feeds it bytes, and a directory that looks like a hierarchy.
class ContainerObserver final : public Observer {
 public:
  // Where cgroups are mounted; nothing when they are not.
  using OpenWatch = std::function<std::optional<Watch>(const Config&)>;
  // For it to be tried again, while no cgroup is mounted.
  static constexpr std::chrono::seconds kTryAgain{2};

  // Without `watch` nothing is read.
  // `host_mounts`: the inode of the host's mount namespace; 0: not known.
  ContainerObserver(const Config& config, std::optional<Watch> watch, OpenWatch open = {},
                    std::optional<NodeFiles> node = {}, std::uint64_t host_mounts = 0)
      : config_(config),
        rate_(config.rate_per_second),
        watch_(std::move(watch)),
        open_(std::move(open)),
        node_(std::move(node)),
        boundary_(host_mounts) {}

  Status on_sample(const wire::Sample& sample, Output& out) override;
  void on_fact(const Fact& fact, Output& out) override;
  void on_tick(MonotonicTime now, Output& out) override;
  void on_settings(const config::Section& settings) override;
  [[nodiscard]] std::vector<Counter> counters() const override {
    return {{"memory_evicted", memory_.evicted()}};
  }

 private:
  Status on_created(const wire::Sample& sample, Output& out);
  Status on_moved(const wire::Sample& sample, Output& out);
  Status on_removed(const wire::Sample& sample, Output& out);
  void hand_out(const Record& record, Output& out);
  void follow(const auto& fact, Output& out) {
    if constexpr (requires { lifecycle_.on(fact, out); })
      if (config_.lifecycle) lifecycle_.on(fact, out);
    if constexpr (requires { boundary_.on(fact, out); })
      if (config_.boundary) boundary_.on(fact, out);
  }
  void open_watch(MonotonicTime now);
  static void publish(const Watch::Looked& looked, MonotonicTime now, Output& out);

  Config config_;
  Bucket rate_;
  std::optional<Watch> watch_;
  OpenWatch open_;
  MonotonicTime try_again_{};
  std::optional<NodeFiles> node_;  // none: it is not read
  MemoryReports memory_{config_};
  Lifecycle lifecycle_{[this](const Record& record, Output& out) { hand_out(record, out); }};
  Boundary boundary_;
};

}  // namespace tapio::container
