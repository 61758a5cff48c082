// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/lru.hpp"
#include "dns_config.hpp"
#include "dns_findings.hpp"

namespace tapio::dns {

// Names, and zones, for which a name server itself has to wait: it is slow or silent for these and
// answers others quickly. A zone is the last two labels here, whatever it really is.
class SlowNames {
 public:
  // Of each; beyond: the one that was of use longest ago goes.
  static constexpr std::size_t kMaxServers = 256, kMaxParts = 512;

  void configure(const Config& config);
  // A lookup, whom it asked (see server_text), and whether it was slow or unanswered. True: it is
  // its name's fault, or its zone's.
  bool on(const Lookup& lookup, const std::string& server, bool is_lagging, RecordId evidence,
          Output& out);
  // Whether its server answered for other zones quickly since this one was first known to lag.
  [[nodiscard]] bool are_others_prompt(const Lookup& lookup);

 private:
  struct Server {
    PerMinute prompt, lagging;
  };
  struct Part {             // a name or a zone, as one server answers for it
    MonotonicTime since{};  // when it was first known to lag; promptness is counted from there
    Streak lagging, unanswered;
    PerMinute prompt;
    Repeat told;
  };
  struct Keys {
    std::string name, zone;
  };
  static Keys keys_of(std::string_view server, const Lookup& lookup);

  void note_lagging(const std::string& key, const Lookup& lookup, RecordId evidence);
  [[nodiscard]] bool is_to_blame(const Server& server, const Part& part, MonotonicTime now) const;
  void tell_of(Part& part, std::string entity, const Lookup& lookup, Output& out) const;

  std::chrono::nanoseconds slow_{};
  std::uint64_t least_ = 0;
  Lru<std::string, Server> servers_{kMaxServers};
  Lru<std::string, Part> parts_{kMaxParts};
};

}  // namespace tapio::dns
