// SPDX-License-Identifier: Apache-2.0
// What the node costs the machine it runs on.
#include <algorithm>

#include "agent/node.hpp"
#include "agent/own_usage.hpp"

namespace tapio::agent {

void Node::measure_costs(MonotonicTime now) {
  if (!config_.cost || !costs_.is_due(now)) return;
  if (costs_.is_counting()) {
    auto readings = read_costs(now);
    if (!costs_.may_end(readings)) return;
    costs_.end(std::move(readings));
    counting_ = Fd();
    pipeline_.meter(false);
    return;
  }
  auto counting = capture::count_run_time();
  cost_fault_ = counting ? "" : counting.error().what;
  if (counting) counting_ = std::move(*counting);
  pipeline_.meter(true);
  costs_.begin(read_costs(now));
}

Costs::Readings Node::read_costs(MonotonicTime now) const {
  Costs::Readings readings{.time = now, .pipeline = cpu_time_of_this_thread()};
  for (const Source& source : sources_) {
    const auto& descriptor = *source.selected.descriptor;
    readings.observers[descriptor.name] = pipeline_.metered(descriptor.id);
    if (source.programs) read_programs(source, readings.programs);
  }
  return readings;
}

// A program may serve several hooks.
void Node::read_programs(const Source& source, std::vector<Costs::ProgramReading>& readings) {
  const auto first = static_cast<std::ptrdiff_t>(readings.size());
  for (std::uint32_t hook = 0; hook < source.books.size(); ++hook) {
    const bpf_program* program = source.programs->program_of(hook);
    if (!program) continue;
    const std::string_view name = source.choices[hook].program;
    auto reading = std::find_if(readings.begin() + first, readings.end(),
                                [&](const auto& each) { return each.program == name; });
    if (reading == readings.end()) {
      const auto ran = capture::run_time(bpf_program__fd(program));
      reading = readings.insert(readings.end(), {.observer = source.selected.descriptor->name,
                                                 .program = name,
                                                 .ran = ran.value_or(capture::RunTime{})});
    }
    reading->events += source.books[hook].row.entered;
  }
}

std::string Node::cost_fault() const {
  if (!config_.cost) return "agent.cost is off";
  if (!costs_.is_known()) return "nothing was measured yet";
  if (!costs_.is_blind()) return "";
  return cost_fault_.empty() ? "the kernel counts no runs" : cost_fault_;
}

}  // namespace tapio::agent
