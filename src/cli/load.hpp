// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/config.hpp"
#include "cli/agent.hpp"

namespace tapio::cli {

inline constexpr const char* kDefaultConfig = "/etc/tapio/tapio.yaml";

struct Loaded {
  config::Tree tree;
  std::string file;                // "": none was there
  std::vector<std::string> wrong;  // a sentence each; then the tree has its defaults
};

// The file that was named, which must be there, or the default one if it is.
[[nodiscard]] Loaded load(const Agent& agent, const std::optional<std::string>& named);

// The file that load() reads, from the root; "": there is none.
[[nodiscard]] std::string file_in_use(const std::optional<std::string>& named);

// For a running agent that has read `file` and these settings; "": the default one, once it is
// there. A file that is gone is an error. `agent` must outlive it.
[[nodiscard]] Reread rereading(const Agent& agent, std::string file,
                               std::vector<std::pair<std::string, std::string>> set);

// "observers.process.rate_per_second", "100"; lists are separated by commas.
Status set(config::Tree& tree, const std::string& key, const std::string& value);

// The whole tree, or every reason against it.
[[nodiscard]] std::expected<config::Tree, std::vector<std::string>> load(
    const Agent& agent, const std::optional<std::string>& named,
    const std::vector<std::pair<std::string, std::string>>& set);

// What --socket says, or TAPIO_SOCKET, or the configuration.
[[nodiscard]] std::string socket_path(const Agent& agent, const std::optional<std::string>& named,
                                      const config::Tree& tree);

// How many settings are not at their defaults.
[[nodiscard]] std::size_t count_changed(const config::Tree& tree);

}  // namespace tapio::cli
