// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "observer.hpp"
#include "usage_config.hpp"
#include "usage_files.hpp"

namespace tapio::usage {

// Goes round the living processes, some of them in each second, and then says what programs and
// cgroups use. No program in the kernel is needed for it.
class UsageObserver final : public Observer {
 public:
  UsageObserver(const Config& config, Files files, std::uint64_t page_bytes)
      : config_(config), files_(std::move(files)), page_bytes_(page_bytes) {}

  Status on_sample(const wire::Sample&, Output&) override {
    return invalid("usage: it sends no events");
  }
  void on_tick(MonotonicTime now, Output& out) override;
  void on_settings(const config::Section& settings) override { config_ = settings.as<Config>(); }

 private:
  struct Used {
    std::uint64_t processes = 0;
    double cpus = 0;
    std::uint64_t bytes = 0;
    Used& operator+=(const Used& other);
  };
  // Of one process, when it was read last.
  struct Seen {
    std::uint64_t cpu_ticks = 0;
    MonotonicTime time{};
  };
  template <typename Key>
  using UsedBy = std::map<Key, Used>;

  void take(const Reading& reading, MonotonicTime now, const World& world);
  [[nodiscard]] double cpus_of(const Reading& reading, MonotonicTime now) const;
  void tell(MonotonicTime now, Output& out);

  Config config_;
  Files files_;
  std::uint64_t page_bytes_;
  std::vector<std::uint32_t> left_;  // of this round, the next one last
  bool under_way_ = false;
  MonotonicTime next_round_{}, told_{};
  std::unordered_map<ProcessId, Seen, ProcessIdHash> before_, now_;  // as many as are read
  UsedBy<std::string> by_program_;
  UsedBy<std::uint64_t> by_cgroup_;
};

}  // namespace tapio::usage
