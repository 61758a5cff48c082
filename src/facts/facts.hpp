// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <type_traits>
#include <variant>

#include "facts/cgroup.hpp"
#include "facts/container.hpp"
#include "facts/detection.hpp"
#include "facts/name.hpp"
#include "facts/oom.hpp"
#include "facts/process.hpp"
#include "facts/signal.hpp"

// What observers tell each other and the stories, typed. A fact is applied to the World before the
// record that carries it reaches anybody. Views live until the call that hands the fact out
// returns.
namespace tapio {

// Something of a stream was not seen: stories that rest on "nothing happened" must know.
struct Lost {
  MonotonicTime from{}, to{};
  std::string_view observer;
  tapio_class event_class = TAPIO_NORMAL;
  std::uint64_t count = 0;
};

using Fact = std::variant<ProcessStarted, ProcessExecuted, ProcessExited, SignalSent, Lost,
                          ExecFailed, CredentialsChanged, Traced, CgroupCreated, CgroupRemoved,
                          CgroupLimitChanged, CgroupMemory, OomKilled, OomReported, Detected,
                          NameResolved, ProcessMoved, Multiplied, ContainerDescribed,
                          ContainerAwaited, ContainerUnnamed, NodePressure, CgroupConsumers>;

// For `Descriptor::provides` and `needs`: the bit of a kind of fact.
template <typename T, typename Variant>
struct FactIndex;
template <typename T, typename... Kinds>
struct FactIndex<T, std::variant<Kinds...>> {
  static constexpr std::size_t value = [] {
    std::size_t i = 0;
    (void)((std::is_same_v<T, Kinds> || (++i, false)) || ...);
    return i;
  }();
};
using FactSet = std::uint32_t;
template <typename... Kinds>
inline constexpr FactSet facts_of = ((FactSet{1} << FactIndex<Kinds, Fact>::value) | ... | 0u);

}  // namespace tapio
