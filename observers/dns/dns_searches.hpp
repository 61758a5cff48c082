// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/lru.hpp"
#include "dns_exchanges.hpp"

namespace tapio::dns {

// Recognises from the wire alone how a resolver library goes through a search list (resolv.conf(5),
// "search" and "ndots"): names of one process that begin with the same labels, each asked for
// within kStep after the one before turned out not to exist. What the list is, nobody told us.
class Searches {
 public:
  static constexpr std::chrono::nanoseconds kStep = std::chrono::milliseconds(200);
  // First labels of processes; beyond: those that were asked for longest ago are forgotten, and a
  // name looks like the first of its search.
  static constexpr std::size_t kMaxStarts = 512;
  static constexpr std::size_t kMaxAlike = 4;  // searches of one start at once; beyond: the same
  static constexpr std::size_t kMaxNames = 8;  // of a search that are kept; later ones only count

  struct Step {
    std::uint32_t index = 0;  // names of this search that did not exist before this one
    // Of a name that ended its search because it exists: what stood behind the others, for people.
    std::optional<std::string> missed{};
  };

  // In the order in which lookups are concluded. Nothing: it is not of a kind that is searched for.
  [[nodiscard]] std::optional<Step> place(const Lookup& lookup);

 private:
  struct Search {
    std::vector<std::string> before;  // the latest name
    std::string latest;
    std::uint32_t index = 0;
    bool asked_a = false, asked_aaaa = false;  // of the latest name
    bool is_missing = false, is_found = false;
    MonotonicTime touched{};  // the latest answer

    [[nodiscard]] const std::string& first() const {
      return before.empty() ? latest : before.front();
    }
    [[nodiscard]] bool is_step(const Lookup& lookup, std::string_view name) const;
    [[nodiscard]] bool is_followed_by(const Lookup& lookup, std::string_view name) const;
    void advance(const Lookup& lookup, std::string name);
    [[nodiscard]] std::string missed() const;
  };
  using Alike = std::vector<Search>;

  static Search& search_of(Alike& alike, const Lookup& lookup, std::string name);
  static Search* best(Alike& alike, const Lookup& lookup, std::string_view name);

  Lru<std::string, Alike> searches_{kMaxStarts};  // by process and first label
};

}  // namespace tapio::dns
