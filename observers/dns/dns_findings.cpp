// SPDX-License-Identifier: Apache-2.0
#include "dns_findings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "dns_records.hpp"

namespace tapio::dns {

void tell(const FindingSchema& schema, const Report& report, const Lookup& lookup,
          const Streak& streak, Output& out) {
  Arena& arena = out.arena();
  Origin origin = lookup.query.origin;
  origin.time = lookup.concluded;
  origin.event_class = TAPIO_NORMAL;
  out.emit(schema(origin, name(report.severity), arena.keep(report.entity),
                  arena.keep(report.summary), report.suggestion, std::uint64_t{streak.count()},
                  streak.length(), streak.evidence(arena),
                  arena.keep(address_text(lookup.query.server, lookup.query.ip_version)),
                  arena.keep(lookup.query.message.name), arena.keep(report.detail)));
}

std::string process_text(const Lookup& lookup, const World& world) {
  const auto pid = lookup.query.origin.pid;
  if (pid == 0) return "somebody";
  const auto* process = world.process(pid);
  return label(process ? std::string_view(process->name) : std::string_view(), pid);
}

std::string seconds(std::chrono::nanoseconds time) {
  return fmt::format("{:.1f} s", std::chrono::duration<double>(time).count());
}

std::string lower_case(std::string_view name) {
  std::string lowered(name);
  std::ranges::transform(lowered, lowered.begin(), lower);
  return lowered;
}

std::string_view zone_of(std::string_view name) {
  const auto last = name.rfind('.');
  if (last == name.npos || last == 0) return name;
  const auto before = name.rfind('.', last - 1);
  return before == name.npos ? name : name.substr(before + 1);
}

}  // namespace tapio::dns
