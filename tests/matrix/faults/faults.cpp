// SPDX-License-Identifier: Apache-2.0
// Observers whose programs are wrong on purpose, for tapio_matrix_faults: `selftest` has what the
// matrix must say of each.
#include "bpf/abi.h"
#include "faults.skel.h"
#include "observer.hpp"
#include "trigger.hpp"

namespace tapio {

namespace {

using capture::Candidate;
using capture::Hook;

constexpr std::uint8_t kId = 0xff;  // the high byte of FAULTS_FOUND
constexpr auto kTyped = capture::Feature::btf | capture::Feature::tp_btf;
constexpr auto kRaw = capture::Feature::btf | capture::Feature::raw_tp;

constexpr Candidate kBrokenList[] = {
    {"nowhere_bft", kTyped}, {"nowhere_btf", kTyped}, {"nowhere_raw", kRaw}};
constexpr Candidate kOverLimit[] = {{"endless_raw", kRaw}};
constexpr Candidate kNewTracepoint[] = {{"prepare_raw", kRaw}};

constexpr Hook kBrokenListHooks[] = {
    {"nowhere", capture::Need::required, capture::Trigger::canary, kBrokenList}};
constexpr Hook kOverLimitHooks[] = {
    {"exit", capture::Need::optional, capture::Trigger::canary, kOverLimit}};
constexpr Hook kNewTracepointHooks[] = {
    {"prepare", capture::Need::optional, capture::Trigger::canary, kNewTracepoint}};

struct Config {
  bool enabled = true;
  static constexpr auto settings() {
    return std::tuple{Setting{"enabled", &Config::enabled, "Load it."}};
  }
};

class Deaf : public Observer {
 public:
  Status on_sample(const wire::Sample&, Output&) override { return {}; }
};

template <const auto& hooks>
Result<std::unique_ptr<Observer>> start(const Start& start) {
  TRY(start.programs.load<faults_bpf>(hooks, {}, [](faults_bpf&) {}));
  return std::make_unique<Deaf>();
}

template <const auto& hooks>
constexpr Descriptor describe(std::string_view name) {
  return {.name = name,
          .id = kId,
          .summary = "Wrong on purpose.",
          .hooks = hooks,
          .settings = config::section<Config>,
          .start = start<hooks>};
}

constexpr Descriptor kObservers[] = {describe<kBrokenListHooks>("broken_list"),
                                     describe<kOverLimitHooks>("over_limit"),
                                     describe<kNewTracepointHooks>("new_tracepoint")};
constexpr const Descriptor* kAll[] = {&kObservers[0], &kObservers[1], &kObservers[2]};

}  // namespace

std::span<const Descriptor* const> observers() {
  return kAll;
}

std::span<const matrix::Trigger> matrix::triggers_of(std::string_view) {
  return {};
}

}  // namespace tapio
