// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace tapio {
namespace {

using namespace std::literals;

std::string json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string shell_word(std::string_view word) {
  std::string out;
  append_shell_word(out, word);
  return out;
}

TEST(Utf8Length, takes_every_well_formed_length) {
  EXPECT_EQ(utf8_length("a"), 1u);
  EXPECT_EQ(utf8_length("\0"sv), 1u);
  EXPECT_EQ(utf8_length("é"), 2u);
  EXPECT_EQ(utf8_length("€"), 3u);
  EXPECT_EQ(utf8_length("😀"), 4u);
  EXPECT_EQ(utf8_length("\xF4\x8F\xBF\xBF"), 4u);  // U+10FFFF
}

TEST(Utf8Length, refuses_what_rfc_3629_refuses) {
  for (const auto bad : {""sv,
                         "\x80"sv,              // continuation alone
                         "\xC3"sv,              // cut
                         "\xE2\x82"sv,          // cut
                         "\xC3("sv,             // not continued
                         "\xE2\x82("sv,         // not continued
                         "\xC0\x80"sv,          // overlong NUL
                         "\xC1\xBF"sv,          // overlong DEL
                         "\xE0\x9F\xBF"sv,      // overlong
                         "\xF0\x8F\xBF\xBF"sv,  // overlong
                         "\xED\xA0\x80"sv,      // surrogate
                         "\xF4\x90\x80\x80"sv,  // above U+10FFFF
                         "\xF5\x80\x80\x80"sv, "\xFF"sv})
    EXPECT_EQ(utf8_length(bad), 0u) << testing::PrintToString(bad);
}

TEST(Printable, leaves_text_as_it_is) {
  EXPECT_EQ(printable(""), "");
  EXPECT_EQ(printable(R"(C:\temp "x" ~)"), R"(C:\temp "x" ~)");
  EXPECT_EQ(printable("Zoë € 😀"), "Zoë € 😀");
  EXPECT_EQ(printable("family 👨‍👩‍👧"),
            "family 👨‍👩‍👧");  // joined by U+200D, which steers nothing
}

TEST(Printable, shows_control_characters_instead_of_sending_them) {
  EXPECT_EQ(printable("a\nb\tc\rd"), R"(a\nb\tc\x0dd)");
  EXPECT_EQ(printable("\x1b[2J\x07\x7f"), R"(\x1b[2J\x07\x7f)");
  EXPECT_EQ(printable("a\0b"sv), R"(a\x00b)");
  EXPECT_EQ(printable("\xC2\x9B"
                      "31m"),
            R"(\u{009b}31m)");  // C1 form of ESC [
}

TEST(Printable, shows_what_would_turn_or_break_the_line) {
  EXPECT_EQ(printable("gnp\xE2\x80\xAE"
                      "exe"),
            R"(gnp\u{202e}exe)");
  EXPECT_EQ(printable("\xE2\x81\xA6"), R"(\u{2066})");
  EXPECT_EQ(printable("\xE2\x80\xA8"), R"(\u{2028})");
  EXPECT_EQ(printable("\xD8\x9C"), R"(\u{061c})");
}

TEST(Printable, shows_each_byte_that_is_not_utf8) {
  EXPECT_EQ(printable("a\xFFz"), R"(a\xffz)");
  EXPECT_EQ(printable("\xE2\x82"), R"(\xe2\x82)");
  EXPECT_EQ(printable("\xED\xA0\x80"), R"(\xed\xa0\x80)");
  EXPECT_EQ(printable("\xC3\xC3\xA9"), "\\xc3é");  // resumes at the next byte
}

TEST(JsonString, escapes_what_json_asks_for) {
  EXPECT_EQ(json(""), R"("")");
  EXPECT_EQ(json(R"(a "b" \c)"), R"("a \"b\" \\c")");
  EXPECT_EQ(json("a\nb\tc\x01\0"sv), R"("a\nb\tc\u0001\u0000")");
  EXPECT_EQ(json("Zoë 😀/"), R"("Zoë 😀/")");
}

TEST(JsonString, keeps_every_byte_that_is_not_utf8) {
  EXPECT_EQ(json("a\xFF\xC3"), R"("a\u00ff\u00c3")");
}

TEST(JsonString, says_by_number_what_would_steer_a_terminal) {
  EXPECT_EQ(json("\x7f\xC2\x9B\xE2\x80\xAE"), R"("\u007f\u009b\u202e")");
}

TEST(Columns, counts_code_points) {
  EXPECT_EQ(columns(""), 0u);
  EXPECT_EQ(columns("Zoë €"), 5u);
}

TEST(Nearest, finds_the_word_that_was_meant) {
  const std::vector<std::string> known{"rate_per_second", "ring_bytes", "enabled"};
  EXPECT_EQ(nearest("rate_per_secnd", known), "rate_per_second");
  EXPECT_EQ(nearest("rign_bytes", known), "ring_bytes");
  EXPECT_EQ(nearest("enable", known), "enabled");
  EXPECT_EQ(nearest("enabled", known), "enabled");
}

TEST(Nearest, does_not_guess_wildly) {
  const std::vector<std::string> known{"uid", "comm", "container"};
  EXPECT_EQ(nearest("", known), "");
  EXPECT_EQ(nearest("x", known), "");
  EXPECT_EQ(nearest("ua", known), "");      // 2 edits of 2 letters
  EXPECT_EQ(nearest("cont", known), "");    // 5 letters are missing
  EXPECT_EQ(nearest("coxy", known), "");    // 2 edits are half of the word
  EXPECT_EQ(nearest("gid", known), "uid");  // 1 edit of 3 letters
  EXPECT_EQ(nearest("word", {}), "");
  EXPECT_EQ(nearest(std::string(1 << 20, 'a'), known), "");
}

TEST(Nearest, takes_the_first_of_equals) {
  const std::vector<std::string> known{"node", "mode"};
  EXPECT_EQ(nearest("gode", known), "node");
}

TEST(Nearest, counts_swapped_neighbours_once) {
  const std::vector<std::string> known{"abd", "acb"};
  EXPECT_EQ(nearest("abc", known), "abd");
  EXPECT_EQ(nearest("bac", std::vector<std::string>{"abc"}), "abc");  // two edits to Levenshtein
}

TEST(ShellWord, leaves_harmless_words_alone) {
  for (const auto word : {"ls", "--for=5s", "/usr/bin/x_1.2", "a@b:c,d+e%"})
    EXPECT_EQ(shell_word(word), word);
}

TEST(ShellWord, quotes_what_a_shell_would_change) {
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("a b"), "'a b'");
  EXPECT_EQ(shell_word("$HOME;`x`"), "'$HOME;`x`'");
  EXPECT_EQ(shell_word("~"), "'~'");
  EXPECT_EQ(shell_word("*"), "'*'");
  EXPECT_EQ(shell_word("=ls"), "'=ls'");
  EXPECT_EQ(shell_word("it's"), R"('it'\''s')");
}

TEST(Utf8, passes_and_every_other_byte_becomes_the_code_point_of_its_number) {
  EXPECT_EQ(utf8("a \xC3\xA4 \xF0\x9F\x90\xA7\n"), "a \xC3\xA4 \xF0\x9F\x90\xA7\n");
  EXPECT_EQ(utf8("\xFF\x80x\xC3"), "\xC3\xBF\xC2\x80x\xC3\x83");
  EXPECT_EQ(utf8(std::string_view("\0", 1)), std::string_view("\0", 1));
}

}  // namespace
}  // namespace tapio
