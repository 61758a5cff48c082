// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "cli/agent.hpp"
#include "cli/arguments.hpp"
#include "evaluate/engine.hpp"
#include "export/store/store_reader.hpp"
#include "serve/json.hpp"

// The database of the sink `store`, for commands.
namespace tapio::cli {

// What --store says, or the configuration.
[[nodiscard]] std::string store_path(const Arguments& arguments, const Agent& agent);

// The bodies that a query for one column gives, as JSON; those that are none are left out.
[[nodiscard]] Result<std::vector<serve::Json>> bodies(const store::Reader& reader,
                                                      std::string_view sql,
                                                      std::span<const store::Cell> parameters,
                                                      const store::Limits& limits = {});

// A story as it was read: the parts that we know, and all of it.
struct ReadStory {
  ToldStory told;
  serve::Json json;
};

// What happened at `since` (of the epoch) or later, oldest first; as many as an agent keeps.
[[nodiscard]] Result<std::vector<ReadStory>> stories_in(const store::Reader& reader,
                                                        std::chrono::nanoseconds since);
// Those of the agent and those of the store, by time, none twice.
[[nodiscard]] std::vector<ReadStory> merged(std::vector<ReadStory> all);

// SIGINT ends what we do, not us, for as long as it lives. One at a time.
class Interruptible {
 public:
  Interruptible();
  ~Interruptible();
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;
  [[nodiscard]] static bool interrupted();

 private:
  struct Before;
  std::unique_ptr<Before> before_;
};

}  // namespace tapio::cli
