// SPDX-License-Identifier: Apache-2.0
#include "base/pack.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "base/outside.hpp"

namespace tapio {
namespace {

using namespace std::chrono_literals;

TEST(Pack, what_was_put_in_comes_out_in_the_same_order) {
  Packer pack;
  pack(std::uint64_t{0})(std::uint64_t{127})(std::uint64_t{128});
  pack(std::numeric_limits<std::uint64_t>::max())(std::numeric_limits<std::int64_t>::min());
  pack(std::int32_t{-1})(true)(-5ns)(std::string_view("text"))(std::string_view());
  Unpacker unpack(pack.bytes());
  std::uint64_t a = 9, b = 9, c = 9, most = 9;
  std::int64_t least = 9;
  std::int32_t minus = 9;
  bool yes = false;
  std::chrono::nanoseconds time{};
  std::string_view text, none = "x";
  unpack(a)(b)(c)(most)(least)(minus)(yes)(time)(text)(none);
  EXPECT_TRUE(unpack.done());
  EXPECT_EQ(a, 0u);
  EXPECT_EQ(b, 127u);
  EXPECT_EQ(c, 128u);
  EXPECT_EQ(most, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(least, std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(minus, -1);
  EXPECT_TRUE(yes);
  EXPECT_EQ(time, -5ns);
  EXPECT_EQ(text, "text");
  EXPECT_EQ(none, "");
}

TEST(Pack, small_numbers_take_a_byte) {
  Packer pack;
  pack(std::uint64_t{127})(std::int64_t{-64});
  EXPECT_EQ(pack.bytes().size(), 2u);
}

template <typename T>
T unpacked(std::string_view bytes, bool& ok) {
  Unpacker unpack(bytes);
  T value{};
  ok = unpack(value).ok();
  return value;
}

TEST(Pack, what_does_not_fit_is_zero_and_said) {
  bool ok = true;
  EXPECT_EQ(unpacked<std::uint8_t>("\x80\x02", ok), 0);  // 256
  EXPECT_FALSE(ok);
  EXPECT_EQ(unpacked<bool>("\x02", ok), false);
  EXPECT_FALSE(ok);
  EXPECT_EQ(unpacked<std::uint64_t>("", ok), 0u);
  EXPECT_FALSE(ok);
  EXPECT_EQ(unpacked<std::uint64_t>("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", ok), 0u);
  EXPECT_FALSE(ok);
  EXPECT_EQ(unpacked<std::uint64_t>("\xff\xff", ok), 0u);
  EXPECT_FALSE(ok);
  EXPECT_EQ(unpacked<std::string_view>("\x05"
                                       "four",
                                       ok),
            "");
  EXPECT_FALSE(ok);
}

TEST(Pack, after_a_fault_nothing_is_read) {
  Unpacker unpack(std::string_view("\x09\x01\x01", 3));
  std::string_view text;
  std::uint64_t number = 7;
  unpack(text)(number);
  EXPECT_EQ(number, 0u);
  EXPECT_FALSE(unpack.done());
}

// Says what it was told to say.
class Told final : public Outside {
 public:
  explicit Told(std::string answer) : answer_(std::move(answer)) {}
  std::string ask(std::string_view, const Look&) override { return answer_; }

 private:
  std::string answer_;
};

TEST(Outside, live_answers_are_looks) {
  EXPECT_EQ(live_outside().ask("what", [] { return std::string("seen"); }), "seen");
  EXPECT_GT(live_outside().now(), 0ns);
  EXPECT_GE(live_outside().page_bytes(), 4096u);
  const auto failed = live_outside().attempt("it", [] { return fail(Fault::denied, "not you"); });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().fault, Fault::denied);
  EXPECT_EQ(failed.error().what, "not you");
  EXPECT_TRUE(live_outside().attempt("it", [] { return Status{}; }));
}

TEST(Outside, an_answer_of_a_stranger_harms_nobody) {
  for (const std::string answer : {"", "\xff", "\x09", "\x01", "\x01\x7f"}) {
    Told told(answer);
    bool acted = false;
    EXPECT_FALSE(told.attempt("it", [&] {
      acted = true;
      return Status{};
    }));
    EXPECT_FALSE(acted);
    EXPECT_GE(told.page_bytes(), 4096u);
  }
}

}  // namespace
}  // namespace tapio
