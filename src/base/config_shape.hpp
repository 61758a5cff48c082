// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.hpp"

// Internal to config: the names of all settings as one tree, as they nest in the file.
namespace tapio::config {

struct Branch {
  std::string name;                    // "uid"
  std::string path;                    // "observers.process.filter.uid"
  std::size_t section = 0;             // the entry of the tree, where one of the next two says so
  bool is_section = false;             // of exactly this path
  std::optional<SettingInfo> setting;  // then without children
  std::vector<Branch> children;        // by first appearance

  [[nodiscard]] const Branch* child(std::string_view wanted) const;
  // By dotted path from here; "" is this one.
  [[nodiscard]] const Branch* find(std::string_view dotted) const;
  [[nodiscard]] std::vector<std::string> child_names() const;
  // Of all below this one.
  [[nodiscard]] std::vector<std::string> paths() const;
};

enum class Values : std::uint8_t { initial, current };

[[nodiscard]] Branch shape_of(const Tree& tree, Values values);

// "did you mean 'x'?" with the sign that stands before it, or "".
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string> known);

}  // namespace tapio::config
