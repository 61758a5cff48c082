// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "facts/world.hpp"

namespace tapio {

// Nobody is known in it.
class EmptyWorld : public World {
 public:
  [[nodiscard]] const Process* process(ProcessId) const override { return nullptr; }
  [[nodiscard]] const Process* process(std::uint32_t) const override { return nullptr; }
  [[nodiscard]] std::vector<const Process*> ancestors(ProcessId) const override { return {}; }
  [[nodiscard]] MonotonicTime watching_since() const override { return {}; }
  [[nodiscard]] const Cgroup* cgroup(std::uint64_t) const override { return nullptr; }
  [[nodiscard]] const Container* container(std::string_view) const override { return nullptr; }
  [[nodiscard]] std::vector<MemoryPoint> memory(std::uint64_t) const override { return {}; }
  [[nodiscard]] std::vector<Change> changes(std::uint64_t, MonotonicTime,
                                            MonotonicTime) const override {
    return {};
  }
  [[nodiscard]] std::optional<NameOf> name_of(const IpAddress&, ProcessId, std::uint64_t,
                                              MonotonicTime) const override {
    return {};
  }
  [[nodiscard]] const std::vector<std::string>& blind_spots() const override { return blind_; }

 private:
  std::vector<std::string> blind_;
};

}  // namespace tapio
