// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/settings.hpp"
#include "record/record.hpp"

namespace tapio::agent {

// One attempt to take over the configuration while the agent runs.
struct Reload {
  MonotonicTime time{};
  std::string file;                     // "": there is none
  bool kept = false;                    // something was wrong with it: nothing was changed
  std::vector<config::Change> changed;  // in force now
  std::vector<config::Change> restart;  // waits for the next start
  std::vector<std::string> wrong{};     // a sentence each
};

// In the stream of every consumer, so that what follows can be read with it in mind.
inline constexpr SchemaOf kConfigurationChanged{
    "tapio.configuration.changed",
    Kind::event,
    "Settings of the agent were changed while it runs.",
    Field{"tapio.configuration.file", Type::text, "Where they are from.", "FILE"},
    Field{"tapio.configuration.changes", Type::texts, "Setting: before -> after.", "CHANGES"},
    Field{"tapio.configuration.restart", Type::texts, "Those that wait for the next start."}};

// "log.level: info -> debug"; long values are cut.
[[nodiscard]] std::string line_of(const config::Change& change);

// "2 settings changed, 1 needs a restart"
[[nodiscard]] std::string summary_of(const Reload& reload);

// One line to the log for each change and each sentence.
void log(const Reload& reload);

// What `tapio reload --json` prints; its keys are a contract.
void append_json(std::string& out, const Reload& reload, const Clocks& clocks);

}  // namespace tapio::agent
