// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <string>

#include "capture/kernel.hpp"

// /proc/self/mountinfo, in which whoever mounts names directories. What is found there are words of
// the text, and no more than it has.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const auto is_word = [&](const std::string& word) {
    return word.find_first_of(" \t\n") == word.npos && text.contains(word);
  };
  const auto mounted = tapio::capture::parse_mountinfo(text);
  if (!is_word(mounted.v2) || mounted.v1.size() > size) std::abort();
  for (const auto& [controller, point] : mounted.v1)
    if (!is_word(controller) || !is_word(point)) std::abort();
  return 0;
}
