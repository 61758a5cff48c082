// SPDX-License-Identifier: Apache-2.0
#include "base/eights.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/text.hpp"

namespace tapio {
namespace {

constexpr std::size_t kLongest = 20;

// Calls check(text) with each byte in each place of texts of each length, among letters.
template <typename Check>
void with_each_byte(Check check) {
  for (std::size_t size = 1; size <= kLongest; ++size)
    for (std::size_t at = 0; at < size; ++at)
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, 'x');
        text[at] = static_cast<char>(byte);
        check(text, static_cast<unsigned char>(byte));
      }
}

TEST(Eights, find_a_byte_wherever_it_is) {
  with_each_byte([](std::string_view text, unsigned char byte) {
    const auto has = [&](auto test) { return eights::any(text, test); };
    EXPECT_EQ(has([](auto b) { return eights::is(b, '='); }), byte == '=') << text;
    EXPECT_EQ(has([](auto b) { return eights::is(b, '\xFF'); }), byte == 0xFF) << text;
    EXPECT_EQ(has([](auto b) { return eights::below(b, 0x21); }), byte < 0x21) << text;
    EXPECT_EQ(has([](auto b) { return eights::not_ascii(b); }), byte >= 0x80) << text;
  });
  EXPECT_FALSE(eights::any("", [](auto b) { return eights::is(b, 0); }));
}

TEST(Eights, copy_what_they_look_at_and_no_more) {
  with_each_byte([](std::string_view text, unsigned char byte) {
    std::string to(text.size() + 2, '#');
    const auto is_sign = [](auto b) { return eights::is(b, '='); };
    EXPECT_EQ(eights::copy(to.data() + 1, text, is_sign), byte == '=') << text;
    EXPECT_EQ(to, '#' + std::string(text) + '#');
  });
  char untouched = '#';
  EXPECT_FALSE(eights::copy(&untouched, {}, [](auto b) { return eights::is(b, 0); }));
  EXPECT_EQ(untouched, '#');
}

TEST(Eights, tell_what_json_has_as_it_is) {
  with_each_byte([](std::string_view text, unsigned char) {
    std::string written;
    append_json_string(written, text);
    EXPECT_EQ(!eights::any(text, eights::not_plain_json),
              written == "\"" + std::string(text) + "\"")
        << written;
  });
  EXPECT_FALSE(eights::any("", eights::not_plain_json));
}

}  // namespace
}  // namespace tapio
