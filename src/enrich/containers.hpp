// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "facts/world.hpp"

namespace tapio {

struct ContainerLimits {
  std::size_t described = 16'384;  // beyond it the one described longest ago is forgotten
  std::size_t awaited = 1'024;     // those beyond it are not waited for
  // Longer than runtimes are asked again: what nobody describes any more is long gone.
  std::chrono::nanoseconds keep = std::chrono::minutes(10);
};

// What runtimes have said of containers, by id, and whom they are being asked for.
class Containers {
 public:
  struct Stats {
    std::size_t described = 0, awaited = 0;
    std::uint64_t evicted = 0;
  };

  explicit Containers(ContainerLimits limits = {}) : limits_(limits) {}

  void described(const ContainerDescribed& fact);
  void awaited(const ContainerAwaited& fact);
  void unnamed(const ContainerUnnamed& fact);
  void expire(MonotonicTime now);

  [[nodiscard]] const Container* find(std::string_view id) const;
  // Until when its description may be waited for; nothing: it will not come.
  [[nodiscard]] std::optional<MonotonicTime> awaited_until(std::string_view id) const;
  [[nodiscard]] Stats stats() const;

 private:
  using Entries = std::list<Container>;

  ContainerLimits limits_;
  Entries entries_;  // described longest ago first
  // Keys are views of the entries' own ids.
  std::unordered_map<std::string_view, Entries::iterator> by_id_;
  std::map<std::string, MonotonicTime, std::less<>> awaited_;
  std::uint64_t evicted_ = 0;
};

}  // namespace tapio
