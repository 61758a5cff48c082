// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.hpp"
#include "cli/arguments.hpp"
#include "observer.hpp"

namespace tapio::cli {

// A word that may stand next, and what it means. One that ends with = wants a value behind it.
struct Candidate {
  std::string word, help;

  friend bool operator==(const Candidate&, const Candidate&) = default;
};

// What is known only where the commands run.
struct Vocabulary {
  const config::Tree& settings;
  std::span<const Descriptor* const> observers;
  std::function<std::vector<Candidate>()> stories;  // by their ids, the newest first
};

struct Completion {
  std::vector<Candidate> candidates{};
  bool files = false;  // names of files, too
};

// `line`: what was written behind the program's name. Its last word is not finished, and may be "".
[[nodiscard]] Completion complete(std::span<const std::string> line, const Vocabulary& vocabulary);

// What makes a shell ask: of "bash", "zsh" or "fish".
[[nodiscard]] std::string_view completion_script(std::string_view shell);

}  // namespace tapio::cli
