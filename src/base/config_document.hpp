// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Internal to config: YAML text as plain nodes, within bounds.
namespace tapio::config {

// From 0, in bytes; line -1: the file as a whole.
struct Mark {
  int line = -1, column = 0;
};

struct Node {
  enum class Kind : std::uint8_t {
    null,
    scalar,
    sequence,
    mapping,
    refused,  // a finding tells why
  };
  Kind kind = Kind::null;
  Mark mark;
  std::string text;            // of a scalar
  std::vector<Node> children;  // items, or members
  std::string key;             // of a member
  Mark key_mark;
};

struct Finding {
  Mark mark;
  std::string what;
};

struct Document {
  Node root;
  std::vector<Finding> findings;
  bool is_whole = false;  // read to its end
};

[[nodiscard]] Document read_document(std::string_view yaml);

}  // namespace tapio::config
