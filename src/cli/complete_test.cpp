// SPDX-License-Identifier: Apache-2.0
#include "cli/complete.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/fake_agent.hpp"
#include "cli/manual.hpp"

namespace tapio::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Completions : public testing::Test {
 protected:
  Completion all(const std::vector<std::string>& line) {
    return complete(line, {.settings = settings_, .observers = observers(), .stories = [] {
                             return std::vector{Candidate{"1a.2", "sh died"}};
                           }});
  }
  std::vector<std::string> words(const std::vector<std::string>& line) {
    std::vector<std::string> words;
    for (auto& candidate : all(line).candidates) words.push_back(candidate.word);
    return words;
  }

  FakeAgent agent_;
  config::Tree settings_ = agent_.configuration();
};

TEST_F(Completions, begin_with_every_command_and_what_it_does) {
  const auto found = all({""}).candidates;
  for (const CommandShape& shape : command_shapes()) {
    const auto first = shape.name.substr(0, shape.name.find(' '));
    EXPECT_THAT(words({""}), Contains(first).Times(1));
  }
  EXPECT_THAT(found, Contains(Candidate{"run", "run the agent"}));
  EXPECT_THAT(words({"sta"}), ElementsAre("status"));
  EXPECT_THAT(words({"xyzzy"}), ElementsAre());
}

TEST_F(Completions, know_commands_of_two_words) {
  EXPECT_THAT(words({"config", ""}), ElementsAre("check", "explain", "default", "reference"));
  EXPECT_TRUE(all({"config", "check", ""}).files);
}

TEST_F(Completions, offer_the_options_of_the_command_that_were_not_given_yet) {
  EXPECT_THAT(words({"run", "--"}), Contains("--config"));
  EXPECT_THAT(words({"run", "--config", "x", "--"}), Not(Contains("--config")));
  EXPECT_THAT(words({"run", "--config=x", "--"}), Not(Contains("--config")));
  EXPECT_THAT(words({"run", "--set", "a=1", "--"}), Contains("--set"));
  EXPECT_THAT(words({"run", "--"}), Contains("--help"));
  EXPECT_THAT(all({"status", "--js"}).candidates,
              ElementsAre(Candidate{"--json", "everything, as one object"}));
  EXPECT_THAT(words({"status", ""}), Contains("--socket"));
}

TEST_F(Completions, offer_values_where_an_option_wants_one) {
  EXPECT_THAT(words({"run", "-o", ""}), ElementsAre("none", "json"));
  EXPECT_THAT(words({"query", "SELECT 1", "-o", "c"}), ElementsAre("csv"));
  EXPECT_TRUE(all({"run", "--socket", "/r"}).files);
  EXPECT_TRUE(all({"run", "--socket=/r"}).files);
  EXPECT_THAT(words({"run", "--for", ""}), ElementsAre());
  EXPECT_THAT(words({"trace", "dns", "--signal", "KILL,TER"}), ElementsAre("KILL,TERM"));
  EXPECT_THAT(words({"trace", "dns", "--signal=KILL,TER"}), ElementsAre("--signal=KILL,TERM"));
}

TEST_F(Completions, know_settings_records_fields_and_stories) {
  EXPECT_THAT(words({"run", "--set", "observers.job.ra"}), ElementsAre("observers.job.rate="));
  EXPECT_THAT(words({"config", "explain", "observers.job"}), Contains("observers.job"));
  EXPECT_THAT(words({"config", "explain", "observers.job.ra"}), ElementsAre("observers.job.rate"));
  EXPECT_THAT(words({"trace", "dns", ""}), Contains("signal"));
  EXPECT_THAT(words({"trace", "signals", "--where", "signal."}), Contains("signal.number="));
  EXPECT_THAT(words({"trace", "query", "--where", "signal."}), Not(Contains("signal.number=")));
  EXPECT_THAT(all({"explain", ""}).candidates, ElementsAre(Candidate{"1a.2", "sh died"}));
  EXPECT_THAT(words({"explain", "1a.2", "1"}), ElementsAre());
}

TEST_F(Completions, offer_the_fields_by_which_a_view_can_have_its_lines) {
  EXPECT_THAT(words({"top", "dns", "--by", "dns."}), Contains("dns.question.name"));
  EXPECT_THAT(words({"top", "job.signal", "--by", "signal."}), Contains("signal.number"));
  EXPECT_THAT(words({"top", "dns", "--by", "container."}),
              ElementsAre("container.id", "container.runtime.name", "container.name",
                          "container.image.name"));
  EXPECT_THAT(words({"top", "--by", ""}), ElementsAre()) << "of no record in particular";
}

TEST_F(Completions, bear_any_line) {
  EXPECT_THAT(all({}).candidates, Contains(Candidate{"run", "run the agent"}));
  EXPECT_THAT(words({"run", "--xyzzy", "=", "--=", "--for=", "", "-"}), Contains("--config"));
  EXPECT_THAT(words({"config", "xyzzy", ""}), ElementsAre());
  EXPECT_THAT(words({"--version", ""}), ElementsAre());
}

TEST(Manual, has_a_page_for_each_command_made_of_its_help) {
  for (const auto& page : manual_pages()) {
    const std::string text = manual(page, "1.2.3", {});
    EXPECT_THAT(text, StartsWith(".TH TAPIO\\-")) << page;
    EXPECT_THAT(text, HasSubstr(".SH SYNOPSIS\n.B tapio ")) << page;
    EXPECT_THAT(text, HasSubstr("tapio 1.2.3")) << page;
    EXPECT_THAT(text, HasSubstr(".SH EXAMPLES\n")) << page;
    EXPECT_THAT(manual("", "1.2.3", {}), HasSubstr(".BR tapio\\-" + page + " (1)"));
  }
}

TEST(Manual, escapes_what_roff_would_take_for_its_own) {
  const std::string page = manual("trace", "1", {{"'x", ".y"}});
  EXPECT_THAT(page, HasSubstr("\n.TP\n.B \\-\\-where KEY=VALUE\n"));
  EXPECT_THAT(page, HasSubstr("\n\\&'x .y\n"));
  for (std::size_t at = 0; at < page.size(); at = page.find('\n', at) + 1)
    EXPECT_TRUE(page[at] != '\'') << page.substr(at, 40);
}

}  // namespace
}  // namespace tapio::cli
