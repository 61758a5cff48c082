// SPDX-License-Identifier: Apache-2.0
#include "cli/screen.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tapio::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Pressed letter(char c) {
  return {.letter = c};
}
Pressed key(Key k) {
  return {.key = k};
}

std::vector<Pressed> pressed(Keys& keys, std::string_view bytes) {
  keys.add(bytes);
  std::vector<Pressed> all;
  while (const auto next = keys.next()) all.push_back(*next);
  return all;
}

TEST(Keyboards, send_letters_as_they_are_and_other_keys_as_sequences) {
  Keys keys;
  EXPECT_THAT(pressed(keys, "q\tS"), ElementsAre(letter('q'), letter('\t'), letter('S')));
  EXPECT_THAT(pressed(keys, "\x1b[A\x1bOB\x1b[6~x"),
              ElementsAre(key(Key::up), key(Key::down), key(Key::page_down), letter('x')));
}

TEST(Keyboards, may_send_a_sequence_in_pieces) {
  Keys keys;
  EXPECT_THAT(pressed(keys, "\x1b"), IsEmpty());
  EXPECT_THAT(pressed(keys, "["), IsEmpty());
  EXPECT_THAT(pressed(keys, "Zq"), ElementsAre(key(Key::back), letter('q')));
}

TEST(Keyboards, have_keys_that_mean_nothing_here) {
  Keys keys;
  EXPECT_THAT(pressed(keys, "\x1b[15~\x1b[1;5Cq"), ElementsAre(letter('q')));
  EXPECT_THAT(pressed(keys, "\x1bx"), ElementsAre(key(Key::escape), letter('x')));
}

TEST(Keyboards, that_send_a_sequence_without_end_are_not_waited_for) {
  Keys keys;
  EXPECT_THAT(pressed(keys, "\x1b[" + std::string(100, '1')), IsEmpty());
  EXPECT_THAT(pressed(keys, "q"), ElementsAre(letter('q')));
}

}  // namespace
}  // namespace tapio::cli
