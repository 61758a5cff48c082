// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <set>
#include <vector>

#include "agent/pipeline.hpp"
#include "base/config.hpp"
#include "capture/programs.hpp"
#include "replay/player.hpp"

namespace tapio::agent {

// Plays a recording through a pipeline of its own: what comes out is what came out then. Looks at
// nothing but the recording.
class Replay {
 public:
  // `configuration` has every section with its defaults.
  static Result<std::unique_ptr<Replay>> open(std::unique_ptr<replay::Player> player,
                                              config::Tree configuration,
                                              Pipeline::Deliver deliver);

  // Up to the end of the recording, or until `enough`. After a fault all that could be played has
  // been delivered.
  Status run(const std::function<bool()>& enough);

  [[nodiscard]] const replay::Player& player() const { return *player_; }
  [[nodiscard]] std::uint64_t samples() const;    // that were worked on
  [[nodiscard]] std::uint64_t malformed() const;  // of them

 private:
  Replay(std::unique_ptr<replay::Player> player, config::Tree configuration,
         Pipeline::Deliver deliver);
  Status take(const replay::Input& input);
  Status start(const replay::Starting& starting);

  std::unique_ptr<replay::Player> player_;  // observers ask it
  config::Tree configuration_;
  std::set<std::string, std::less<>> started_;
  Pipeline pipeline_;
};

}  // namespace tapio::agent
