// SPDX-License-Identifier: Apache-2.0
// A configuration that comes while the node runs.
#include <set>

#include "agent/configuration.hpp"
#include "agent/node.hpp"
#include "base/log.hpp"

namespace tapio::agent {

// Read outside of the lock: events are worked on meanwhile.
Reload Node::reload() {
  const std::lock_guard one_at_a_time(reloading_);
  auto next = read_again();
  const std::lock_guard lock(state_);
  Reload reload = next ? take_over(next->tree) : Reload{.kept = true, .wrong = next.error()};
  if (next) file_ = next->file;
  reload.file = file_;
  reload.time = monotonic_now();
  if (!reload.changed.empty()) record(reload);
  log(reload);
  reload_ = reload;
  return reload;
}

std::expected<cli::Configured, std::vector<std::string>> Node::read_again() const {
  const auto refuse = [](const char* why) {
    return std::unexpected(std::vector<std::string>{why});
  };
  if (!reread_) return refuse("this agent has no file to read");
  if (recorder_)
    return refuse("this agent records, and a recording has one configuration: start again");
  return reread_();
}

Reload Node::take_over(const config::Tree& next) {
  auto changes = config::take_over(configuration_, next);
  if (!changes) return {.kept = true, .wrong = {changes.error().what}};
  Reload reload;
  std::set<std::string_view> sections;
  for (const config::Change& change : *changes) {
    (change.reloads ? reload.changed : reload.restart).push_back(change);
    if (!change.reloads) continue;
    for (const auto& entry : configuration_.entries())
      if (change.setting.starts_with(entry.path + ".")) sections.insert(entry.path);
  }
  for (const std::string_view section : sections)
    if (auto done = apply(section); !done)
      reload.wrong.push_back(std::move(done).error().within(section).what);
  return reload;
}

// What a section says, to those whom it concerns.
Status Node::apply(std::string_view section) {
  const config::Section& settings = configuration_.at(section);
  if (section == "log") configure_log(configuration_);
  if (section == "budget") governor_.configure(settings.as<BudgetConfig>());
  if (section == "redact") pipeline_.configure(settings.as<RedactConfig>());
  for (const Source& source : sources_) {
    const Descriptor& descriptor = *source.selected.descriptor;
    if (section != "observers." + std::string(descriptor.name)) continue;
    pipeline_.configure(descriptor.id, settings);
    if (source.programs && descriptor.wishes)
      TRY(source.programs->change(descriptor.wishes(settings)));
  }
  for (auto& feed : feeds_)
    if (section == "sinks." + feed->name()) feed->configure(settings.clone());
  return {};
}

void Node::record(const Reload& reload) {
  Arena& arena = pipeline_.arena();
  const auto lines = [&](const std::vector<config::Change>& changes) {
    const auto list = arena.list(changes.size());
    for (std::size_t i = 0; i < changes.size(); ++i) list[i] = arena.keep(line_of(changes[i]));
    return std::span<const std::string_view>(list);
  };
  pipeline_.emit(kConfigurationChanged({.time = reload.time}, arena.keep(reload.file),
                                       lines(reload.changed), lines(reload.restart)));
}

std::string Node::reload_json() {
  const Reload done = reload();
  std::string out;
  append_json(out, done, Clocks::read());
  return out;
}

}  // namespace tapio::agent
