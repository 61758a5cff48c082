// SPDX-License-Identifier: Apache-2.0
#include "agent/inlet.hpp"

#include <sys/utsname.h>

#include <algorithm>

#include "base/config.hpp"
#include "version.hpp"

namespace tapio::agent {

namespace {

class Apply {
 public:
  explicit Apply(Pipeline& pipeline) : pipeline_(pipeline) {}

  void operator()(const replay::Starting&) const {}
  void operator()(const replay::ClocksRead& i) const { pipeline_.set_clocks(i.clocks, i.now); }
  void operator()(const replay::Watching& i) const { pipeline_.known().watching(i.since); }
  void operator()(const replay::Samples& i) const { pipeline_.take(i.block); }
  void operator()(const replay::Advanced& i) const { pipeline_.advance(i.watermark); }
  void operator()(const replay::Flushed&) const { pipeline_.flush(); }
  void operator()(const replay::ProcessFound& i) const { pipeline_.known().seen(i.process); }
  void operator()(const replay::ResyncBegan& i) const { pipeline_.known().begin_resync(i.now); }
  void operator()(const replay::ResyncEnded& i) const { pipeline_.known().end_resync(i.coverage); }
  void operator()(const replay::WalkBegan& i) const { pipeline_.known().begin_cgroup_walk(i.now); }
  void operator()(const replay::CgroupFound& i) const {
    pipeline_.publish(CgroupCreated{.time = i.time, .cgroup_id = i.id, .path = i.path});
  }
  void operator()(const replay::WalkEnded& i) const { pipeline_.known().end_cgroup_walk(i.now); }
  void operator()(const replay::SurplusTaken& i) const {
    pipeline_.on_surplus(i.observer, i.surplus, i.now);
  }
  void operator()(const replay::LossFound& i) const {
    pipeline_.on_loss({.key = {std::string(i.observer), std::string(i.event_class),
                               std::string(i.stage), std::string(i.reason)},
                       .from = i.from,
                       .to = i.to,
                       .count = i.count});
  }
  void operator()(const replay::SightChanged& i) const {
    pipeline_.known().set_blind_spots({i.blind_spots.begin(), i.blind_spots.end()});
  }
  void operator()(const replay::Ticked& i) const { pipeline_.on_tick(i.now); }
  void operator()(const replay::Ended&) const {}

 private:
  Pipeline& pipeline_;
};

}  // namespace

void apply(const replay::Input& input, Pipeline& pipeline) {
  std::visit(Apply(pipeline), input);
}

void Inlet::take(Bytes block) {
  if (!block.empty()) (*this)(replay::Samples{recorder_ ? concealed(block) : block});
}

Bytes Inlet::concealed(Bytes block) {
  clean_.clear();
  Intake::each(block, [this](const wire::Sample& sample) {
    const auto& all = observers();
    const auto owner = std::ranges::find(all, sample.header.kind >> 8, &Descriptor::id);
    if (owner == all.end() || !(*owner)->conceal) {
      clean_.insert(clean_.end(), sample.bytes.begin(), sample.bytes.end());
    } else if ((*owner)->conceal(sample, pipeline_.redactor(), sample_)) {
      clean_.insert(clean_.end(), sample_.begin(), sample_.end());
    } else {
      auto header = sample.header;
      header.size = sizeof header;
      const auto bytes = std::as_bytes(std::span(&header, 1));
      clean_.insert(clean_.end(), bytes.begin(), bytes.end());
    }
  });
  return clean_;
}

replay::Header header_of(const config::Tree& configuration, std::uint32_t run) {
  config::Tree part;  // sinks and the agent itself are not played again
  for (const auto& entry : configuration.entries())
    if (entry.path == "redact" || entry.path.starts_with("observers."))
      part.add(entry.path, entry.section->clone(), entry.summary);
  utsname names{};
  ::uname(&names);
  return {.version = std::string(kVersion),
          .kernel = names.release,
          .machine = names.machine,
          .boot = std::string(boot_id()),
          .run = run,
          .began = monotonic_now() + Clocks::read().wall_ahead,
          .configuration = effective_yaml(part)};
}

}  // namespace tapio::agent
