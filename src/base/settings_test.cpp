// SPDX-License-Identifier: Apache-2.0
#include "base/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace tapio::config {
namespace {

using namespace std::literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

enum class Form : std::uint8_t { text, json };
std::span<const EnumName<Form>> enum_names(Form) {
  static constexpr EnumName<Form> kNames[] = {{"text", Form::text}, {"json", Form::json}};
  return kNames;
}

struct Config {
  bool on = true;
  std::uint32_t rate = 200;
  std::uint64_t wide = 7;
  std::uint32_t at_least_two = 2;
  double share = 0.5;
  ByteSize ring{256 << 10};
  std::chrono::milliseconds every{250};
  std::string path = "/run/$x \"y\"";
  Secret token;
  std::vector<std::string> names{"a", "b c"};
  std::vector<std::uint32_t> uids;
  Form form = Form::json;

  static constexpr auto settings() {
    return std::tuple{
        Setting{"on", &Config::on, "Whether."},
        Setting{"rate", &Config::rate, "How many.", 1u, 9'999u},
        Setting{"wide", &Config::wide, "How many."},
        Setting{"at_least_two", &Config::at_least_two, "How many.", 2u},
        Setting{"share", &Config::share, "How much.", -1.0, 1.0},
        Setting{"ring", &Config::ring, "How large.", ByteSize{4096}, ByteSize{64 << 20}},
        Setting{"every", &Config::every, "How long.", 1ms, 24h},
        Setting{"path", &Config::path, "Where."},
        Setting{"token", &Config::token, "Who."},
        Setting{"filter.names", &Config::names, "Whose."},
        Setting{"filter.uids", &Config::uids, "Whose."},
        Setting{"form", &Config::form, "How."}};
  }
};

class Settings : public testing::Test {
 protected:
  Status set(std::string_view name, std::string value) {
    return section_->set(name, std::array{std::move(value)});
  }
  // The sentence that refuses, or "" when nothing does.
  std::string refusal(std::string_view name, std::string value) {
    const auto status = set(name, std::move(value));
    return status ? "" : status.error().what;
  }
  SettingInfo info(std::string_view name) {
    for (const auto& each : section_->settings())
      if (each.name == name) return each;
    return {};
  }
  const Config& config() { return section_->as<Config>(); }

  std::unique_ptr<Section> section_ = section<Config>();
};

TEST_F(Settings, start_with_their_defaults) {
  EXPECT_EQ(config().rate, 200u);
  EXPECT_EQ(info("rate").value, "200");
}

TEST_F(Settings, describe_themselves) {
  EXPECT_EQ(info("rate").type, "unsigned");
  EXPECT_EQ(info("rate").range, "1..9999");
  EXPECT_EQ(info("rate").help, "How many.");
  EXPECT_EQ(info("wide").range, "");
  EXPECT_EQ(info("at_least_two").range, "2..");
  EXPECT_EQ(info("share").type, "number");
  EXPECT_EQ(info("ring").type, "size");
  EXPECT_EQ(info("ring").range, "4KiB..64MiB");
  EXPECT_EQ(info("every").type, "duration");
  EXPECT_EQ(info("every").range, "1ms..24h");
  EXPECT_EQ(info("token").type, "secret");
  EXPECT_EQ(info("filter.names").type, "list of text");
  EXPECT_TRUE(info("filter.names").is_list);
  EXPECT_FALSE(info("path").is_list);
  EXPECT_EQ(info("form").type, "one of text, json");
}

TEST_F(Settings, give_their_values_as_yaml) {
  EXPECT_EQ(info("on").value, "true");
  EXPECT_EQ(info("ring").value, "256KiB");
  EXPECT_EQ(info("every").value, "250ms");
  EXPECT_EQ(info("path").value, R"("/run/$$x \"y\"")");
  EXPECT_EQ(info("filter.names").value, R"(["a", "b c"])");
  EXPECT_EQ(info("filter.uids").value, "[]");
  EXPECT_EQ(info("form").value, "json");
}

TEST_F(Settings, a_bool_is_true_or_false_only) {
  EXPECT_TRUE(set("on", "false"));
  EXPECT_FALSE(config().on);
  EXPECT_EQ(refusal("on", "yes"), "'yes' is not a bool, write true");
  EXPECT_EQ(refusal("on", "On"), "'On' is not a bool, write true");
  EXPECT_EQ(refusal("on", "TRUE"), "'TRUE' is not a bool, write true");
  EXPECT_EQ(refusal("on", "off"), "'off' is not a bool, write false");
  EXPECT_EQ(refusal("on", "0"), "'0' is not a bool, write false");
  EXPECT_EQ(refusal("on", "falsehood"), "'falsehood' is not a bool, write true or false");
  EXPECT_EQ(refusal("on", ""), "'' is not a bool, write true or false");
}

TEST_F(Settings, a_whole_number_is_digits_only) {
  EXPECT_TRUE(set("rate", "1"));
  EXPECT_EQ(config().rate, 1u);
  for (const auto bad : {"", "12abc", "-1", "+1", " 1", "1 ", "1e3", "1.0", "0x10", "010", "1_000",
                         "1,000", "one", "00", "0099999999999999999999"})
    EXPECT_THAT(refusal("rate", bad), HasSubstr("not a whole number, write digits only")) << bad;
}

TEST_F(Settings, a_whole_number_does_not_wrap) {
  EXPECT_TRUE(set("wide", "18446744073709551615"));
  EXPECT_EQ(config().wide, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(refusal("wide", "18446744073709551616"),
            "'18446744073709551616' is too large, give at most 18446744073709551615");
  EXPECT_THAT(refusal("rate", "4294967297"), HasSubstr("too large"));
  EXPECT_EQ(config().wide, std::numeric_limits<std::uint64_t>::max());
}

TEST_F(Settings, a_range_includes_its_ends_and_is_named) {
  EXPECT_TRUE(set("rate", "9999"));
  EXPECT_EQ(refusal("rate", "10000"), "10000 is too large, give 1..9999");
  EXPECT_EQ(refusal("rate", "0"), "0 is too small, give 1..9999");
  EXPECT_EQ(refusal("at_least_two", "1"), "1 is too small, give 2..");
  EXPECT_TRUE(set("at_least_two", "4294967295"));
  EXPECT_TRUE(set("wide", "0"));
  EXPECT_EQ(config().rate, 9999u);  // a refused value changes nothing
}

TEST_F(Settings, a_number_is_finite_and_whole_to_its_end) {
  EXPECT_TRUE(set("share", "-0.25"));
  EXPECT_EQ(config().share, -0.25);
  EXPECT_TRUE(set("share", "1e-1"));
  for (const auto bad : {"", "nan", "inf", "1e999", "0.5x", "0,5", "+1", " 1"})
    EXPECT_THAT(refusal("share", bad), HasSubstr("is not a number")) << bad;
  EXPECT_EQ(refusal("share", "1.5"), "1.5 is too large, give -1..1");
}

TEST_F(Settings, a_size_has_binary_units) {
  EXPECT_TRUE(set("ring", "1MiB"));
  EXPECT_EQ(config().ring.bytes, 1u << 20);
  EXPECT_TRUE(set("ring", "4097"));
  EXPECT_EQ(info("ring").value, "4097");
  EXPECT_TRUE(set("ring", "8192B"));
  EXPECT_EQ(info("ring").value, "8KiB");
  EXPECT_EQ(refusal("ring", "64KB"), "'64KB' has no binary unit, write 64KiB");
  EXPECT_EQ(refusal("ring", "1m"), "'1m' has no binary unit, write 1MiB");
  EXPECT_EQ(refusal("ring", "1GiB"), "1GiB is too large, give 4KiB..64MiB");
  EXPECT_EQ(refusal("ring", "1KiB"), "1KiB is too small, give 4KiB..64MiB");
  for (const auto bad : {"", "KiB", "1.5MiB", "1 MiB", "-1MiB", "1XiB", "010KiB", "1MiBs"})
    EXPECT_THAT(refusal("ring", bad), HasSubstr("is not a size")) << bad;
  for (const auto bad : {"16777216TiB", "18446744073709551616", "99999999999999999999KiB"})
    EXPECT_THAT(refusal("ring", bad), HasSubstr("is too large, give less than")) << bad;
}

TEST_F(Settings, a_duration_has_a_unit) {
  for (const auto& [text, value] :
       {std::pair("250ms", 250ms), {"10s", 10s}, {"5m", 5min}, {"1h", 1h}, {"90m", 90min}}) {
    EXPECT_TRUE(set("every", text));
    EXPECT_EQ(config().every, value);
    EXPECT_EQ(info("every").value, text);
  }
  EXPECT_EQ(refusal("every", "10"), "'10' has no unit, write 10s or 10ms");
  EXPECT_EQ(refusal("every", "0s"), "0s is too small, give 1ms..24h");
  EXPECT_EQ(refusal("every", "25h"), "25h is too large, give 1ms..24h");
  for (const auto bad : {"", "s", "1.5s", "1h30m", "-1s", "10 s", "5d", "5us", "05s"})
    EXPECT_THAT(refusal("every", bad), HasSubstr("is not a duration")) << bad;
  for (const auto bad : {"9223372036855h", "99999999999999999999999s"})
    EXPECT_THAT(refusal("every", bad), HasSubstr("is too long")) << bad;
}

TEST_F(Settings, text_holds_no_nul) {
  EXPECT_TRUE(set("path", ""));
  EXPECT_EQ(config().path, "");
  EXPECT_THAT(refusal("path", "a\0b"s), HasSubstr("NUL"));
  EXPECT_THAT(refusal("token", "a\0b"s), HasSubstr("NUL"));
}

TEST_F(Settings, a_name_is_one_of_the_known) {
  EXPECT_TRUE(set("form", "text"));
  EXPECT_EQ(config().form, Form::text);
  EXPECT_EQ(refusal("form", "jsn"), "'jsn' is not one of text, json, did you mean 'json'?");
  EXPECT_EQ(refusal("form", "xml"), "'xml' is not one of text, json");
}

TEST_F(Settings, a_list_takes_as_many_values_as_there_are) {
  EXPECT_TRUE(section_->set("filter.uids", std::array{"0"s, "1000"s}));
  EXPECT_THAT(config().uids, ElementsAre(0u, 1000u));
  EXPECT_THAT(refusal("filter.uids", "root"), HasSubstr("not a whole number"));
  EXPECT_THAT(config().uids, ElementsAre(0u, 1000u));
  EXPECT_TRUE(section_->set("filter.names", {}));
  EXPECT_THAT(config().names, IsEmpty());
}

TEST_F(Settings, what_is_no_list_takes_exactly_one) {
  EXPECT_EQ(section_->set("rate", std::array{"1"s, "2"s}).error().what,
            "wants one value, not a list");
  EXPECT_FALSE(section_->set("rate", {}));
}

TEST_F(Settings, a_secret_prints_as_stars) {
  EXPECT_EQ(info("token").value, R"("")");
  EXPECT_TRUE(set("token", "hunter2"));
  EXPECT_EQ(config().token.reveal(), "hunter2");
  EXPECT_EQ(info("token").value, R"("***")");
}

TEST_F(Settings, an_unknown_name_is_refused) {
  EXPECT_EQ(refusal("rates", "1"), "unknown setting 'rates'");
  EXPECT_FALSE(set("", "1"));
}

TEST_F(Settings, a_clone_goes_its_own_way) {
  ASSERT_TRUE(set("rate", "5"));
  const auto copy = section_->clone();
  ASSERT_TRUE(set("rate", "6"));
  EXPECT_EQ(copy->as<Config>().rate, 5u);
}

TEST_F(Settings, asking_for_another_type_does_not_give_garbage) {
  struct Other {
    static constexpr auto settings() { return std::tuple{}; }
  };
  EXPECT_THROW((void)section_->as<Other>(), std::bad_cast);
}

TEST(Shown, shows_no_more_than_a_line_of_it) {
  EXPECT_EQ(shown("a\nb"), R"('a\nb')");
  const auto cut = shown(std::string(1000, 'x'));
  EXPECT_LT(cut.size(), 80u);
  EXPECT_THAT(cut, HasSubstr("...'"));
  std::string umlauts;
  for (int i = 0; i < 100; ++i) umlauts += "ä";
  EXPECT_THAT(shown("x" + umlauts), testing::Not(HasSubstr("\\x")));  // never cut in a character
}

}  // namespace
}  // namespace tapio::config
