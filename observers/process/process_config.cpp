// SPDX-License-Identifier: Apache-2.0
#include "process_config.hpp"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cstring>
#include <optional>

#include "facts/facts.hpp"
#include "process.abi.h"

namespace tapio::process {

namespace {

constexpr std::string_view kAllSignals = "all";

std::optional<std::uint32_t> user_id(const std::string& text) {
  std::uint32_t id = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, id);
  return error == std::errc{} && at == end ? std::optional(id) : std::nullopt;
}

}  // namespace

Status Config::check() const {
  for (const auto& name : signals)
    if (name != kAllSignals && !signal_number(name))
      return invalid(
          fmt::format("signals: '{}' is no signal, give names like KILL, numbers, or all", name));
  if (!std::has_single_bit(ring.bytes)) return invalid("ring: give a power of two, like 256KiB");
  if (!filter_uid.empty() && !user_id(filter_uid))
    return invalid(fmt::format("filter.uid: '{}' is no user id, give a number", filter_uid));
  if (filter_comm.size() >= TAPIO_COMM_LEN)
    return invalid(fmt::format("filter.comm: '{}' has {} bytes, a name has at most {}", filter_comm,
                               filter_comm.size(), TAPIO_COMM_LEN - 1));
  return {};
}

std::uint64_t Config::signal_mask() const {
  if (signals.empty()) return ~std::uint64_t{TAPIO_PROCESS_NOISE};
  std::uint64_t mask = 0;
  for (const auto& name : signals)
    mask |= name == kAllSignals ? ~std::uint64_t{0} : std::uint64_t{1} << (signal_number(name) - 1);
  return mask;
}

tapio_filter Config::filter() const {
  tapio_filter filter{.cgroup_id = filter_cgroup, .uid = user_id(filter_uid).value_or(0)};
  std::memcpy(filter.comm, filter_comm.data(), filter_comm.size());
  if (filter_cgroup) filter.check |= TAPIO_CHECK_CGROUP;
  if (!filter_uid.empty()) filter.check |= TAPIO_CHECK_UID;
  if (!filter_comm.empty()) filter.check |= TAPIO_CHECK_COMM;
  if (filter_container_only) filter.check |= TAPIO_CHECK_CONTAINER;
  return filter;
}

}  // namespace tapio::process
