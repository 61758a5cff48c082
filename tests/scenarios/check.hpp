// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "scenario.hpp"

// Whether what was told is what should have been told.
namespace tapio {

// One object of `tapio stories --json`.
struct Told {
  std::string id, time, title, entity;
  std::string kind, cause, detail;
  double confidence = 0;
  std::vector<std::string> chain;
  std::vector<std::string> evidence;
};

// An error where the answer is not what the contract says: an array of objects with these keys.
[[nodiscard]] Result<std::vector<Told>> read_stories(std::string_view json);

struct Named {
  std::string_view name;
  pid_t pid = 0;  // 0: it is no process
};
// "nginx (pid 812)"
[[nodiscard]] Named named(std::string_view entity);

// Those whose title says this; "": all of them.
[[nodiscard]] std::vector<const Told*> about(const std::vector<Told>& stories, pid_t pid,
                                             std::string_view title = "");

// What the agent has said, all of it.
struct Answer {
  std::string json;           // of the stories
  std::vector<Told> stories;  // the same
  std::string records;        // lines of JSON
};

// In sentences; none: it is right.
[[nodiscard]] std::vector<std::string> mistakes(const Expectation& expected, const Answer& answer);

}  // namespace tapio
