// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "dns_exchanges.hpp"
#include "dns_schemas.hpp"
#include "dns_streak.hpp"
#include "observer.hpp"

// How detectors tell what they found.
namespace tapio::dns {

// What happened longer ago than this is not counted any more.
inline constexpr std::chrono::nanoseconds kWindow = std::chrono::minutes(1);

struct Report {
  Severity severity = Severity::warning;
  std::string entity, summary;
  std::string_view suggestion;  // static
  std::string detail;
};

// `lookup` is the latest of those that the streak counts.
void tell(const FindingSchema& schema, const Report& report, const Lookup& lookup,
          const Streak& streak, Output& out);

// "curl (pid 812)".
[[nodiscard]] std::string process_text(const Lookup& lookup, const World& world);
// "3.1 s".
[[nodiscard]] std::string seconds(std::chrono::nanoseconds time);
// Names are alike whatever their case, RFC 4343.
[[nodiscard]] std::string lower_case(std::string_view name);
// "slow.example" of "www.slow.example"; the whole of a name of one label.
[[nodiscard]] std::string_view zone_of(std::string_view name);

}  // namespace tapio::dns
