// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "serve/backlog.hpp"
#include "serve/http_query.hpp"
#include "serve/recent.hpp"

namespace tapio::serve {

// One reader of /api/v1/events: server-sent events, each with the id of its record. It keeps its
// place in `Recent` and one block of text, so a reader that is slow, or does not read at all, costs
// no more than one that does. What is forgotten before it was read is told in a gap.
class EventStream {
 public:
  static constexpr std::size_t kBlockBytes = 16 << 10;  // about so much is made at once

  // From what comes after `last`; without it from now on. One that is not kept any more: from the
  // oldest there is, and an event `reset` says so.
  EventStream(const Recent& recent, Query filter, const std::optional<std::string>& last);

  // The next bytes; 0: there are none now.
  [[nodiscard]] std::size_t read(std::span<char> out);
  [[nodiscard]] bool has_more() const;
  // A line that says nothing: whether somebody is there shows when it is sent.
  void beat();

  // As Recent::Forget.
  void forget(std::uint64_t number, const Line& line);
  // Records that did not even get to `Recent`.
  void miss(const Schema& schema, const Missing& missing);

  [[nodiscard]] std::uint64_t lines() const { return lines_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  [[nodiscard]] bool wants(const Schema& schema) const;
  void refill();
  void append(const Line& line);
  void append_gap(Missing& missing, std::string_view reason);

  const Recent& recent_;
  Query filter_;
  std::uint64_t next_;  // number in `recent_`
  std::string out_;
  std::size_t read_ = 0;  // of out_
  Missing slow_;
  Missing backlog_;
  std::uint64_t lines_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace tapio::serve
