// SPDX-License-Identifier: Apache-2.0
#include "cli/frame.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"
#include "cli/fake_agent.hpp"

namespace tapio::cli {
namespace {

using namespace std::literals;
using serve::Json;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

constexpr MonotonicTime kBegin = 1000s;
constexpr Size kSmall{80, 24};

Json json(const std::string& text) {
  return *serve::parse_json(text);
}

Json status(int entered, int lost, int cpu_ms, std::string_view dns = "on") {
  return json(fmt::format(
      R"({{"uptime_seconds":90,"memory":{{"rss_bytes":14680064}},"cost":{{"cpu_ms":{2}}},
          "stories":{{"told":2,"suppressed":1}},
          "observers":[{{"name":"dns","state":"{3}","health":"healthy","reason":"nobody asked"}},
                       {{"name":"job","state":"on","health":"degraded","reason":""}}],
          "ledger":{{"residue":0,"rows":[{{"observer":"job","hook":"a","entered":{0}}},
                                         {{"observer":"job","hook":"b","entered":{0}}}],
                     "observers":[{{"name":"job","records":{{"normal":{{"emitted":{0}}}}}}}]}},
          "loss":[{{"observer":"job","count":{1}}}]}})",
      entered, lost, cpu_ms, dns));
}

class Frames : public testing::Test {
 protected:
  Frames() {
    watch_.add_status(status(0, 0, 0), kBegin);
    watch_.add_status(status(100, 8, 30), kBegin + 2s);
  }
  void look_at(std::string_view page) {
    const auto found = std::ranges::find(pages_.all, page, &Page::name);
    look_ = {.page = static_cast<std::size_t>(found - pages_.all.begin())};
  }
  void add_lookup(std::string_view server, std::string_view name = "a.example") {
    watch_.add_line(json(fmt::format(R"({{"name":"dns.query","server.address":"{}",)"
                                     R"("dns.lookup.duration":0.25,"dns.question.name":"{}"}})",
                                     server, name)),
                    kBegin);
  }
  void add_story(std::uint64_t number, std::string title) {
    watch_.add_story({.id = {1, number},
                      .story = {.time = std::chrono::seconds(number), .title = std::move(title)}});
  }
  Frame frame(Size size = kSmall) {
    return draw(watch_, pages_, look_, size, {kBegin + 2s, 3600s});
  }
  std::vector<std::string> lines(Size size = kSmall) {
    std::vector<std::string> lines;
    for (auto& line : frame(size)) lines.push_back(std::move(line.text));
    return lines;
  }
  std::string text(Size size = kSmall) { return fmt::format("{}", fmt::join(lines(size), "\n")); }

  Pages pages_ = std::move(*pages(observers(), "overview", std::nullopt));
  Watch watch_{std::vector<const View*>{&kServers}, kBegin};
  Look look_;
};

TEST_F(Frames, are_as_large_as_the_terminal) {
  for (int i = 0; i < 100; ++i) {
    add_story(static_cast<std::uint64_t>(i), std::string(200, 'x'));
    add_lookup(fmt::format("{}", i), std::string(200, 'y'));
  }
  for (const std::string_view page : {"overview", "stories", "observers", "dns"})
    for (const Size size : {kSmall, Size{132, 50}, kLeast, Size{20, 5}}) {
      look_at(page);
      const auto all = lines(size);
      EXPECT_THAT(all, SizeIs(size.rows)) << page;
      for (const std::string& line : all) EXPECT_LE(columns(line), size.columns) << page << line;
    }
}

TEST_F(Frames, of_the_overview_have_stories_views_and_observers_and_what_the_agent_costs) {
  add_story(1, "sh (pid 1) was killed");
  add_lookup("192.0.2.1");
  const auto all = text();
  EXPECT_THAT(all, HasSubstr("overview  up 1m30s, cpu 1.5%, 14.0MiB, lost 4.0/s"));
  EXPECT_THAT(all, HasSubstr("STORIES  2 told, 1 suppressed\n"));
  EXPECT_THAT(all, HasSubstr("  sh (pid 1) was killed\n"));
  EXPECT_THAT(all, HasSubstr("192.0.2.1"));
  EXPECT_THAT(all, HasSubstr("job       on     degraded       100       50.0     4.0     8"));
  EXPECT_THAT(all, HasSubstr("q quit"));
}

TEST_F(Frames, show_the_latest_story_first_and_one_that_is_told_again_once) {
  add_story(1, "old");
  add_story(2, "new");
  add_story(1, "old, and more");
  look_at("stories");
  const auto all = lines();
  EXPECT_THAT(all[2], HasSubstr("00000001.2       warning   new"));
  EXPECT_THAT(all[3], HasSubstr("old, and more"));
  EXPECT_THAT(all[4], "");
}

TEST_F(Frames, give_a_panel_the_room_that_others_do_not_need) {
  for (int i = 0; i < 100; ++i) add_lookup(fmt::format("server{}", i));
  const auto all = lines();
  EXPECT_EQ(std::ranges::count_if(all, [](const auto& line) { return line.starts_with("server"); }),
            24 - 2 - 2 - 1 - 3)
      << "all but the bars, stories without one, a head, and two observers with theirs";
}

TEST_F(Frames, sort_by_the_column_that_was_chosen_and_mark_it) {
  add_lookup("b", "x");
  add_lookup("a", "x");
  add_lookup("a", "x");
  look_at("dns");
  EXPECT_THAT(lines()[1], HasSubstr("QUERIES/s*"));
  EXPECT_THAT(lines()[2], StartsWith("a "));
  look_.reverse = true;
  EXPECT_THAT(lines()[2], StartsWith("b "));
  look_.sort = kServers.figures.size();
  EXPECT_THAT(lines()[1], StartsWith("SERVER*"));
  EXPECT_THAT(lines()[2], StartsWith("b ")) << "by the key, the other way round";
}

TEST_F(Frames, show_figures_in_the_unit_of_their_field) {
  add_lookup("192.0.2.1", "a.example");
  add_lookup("192.0.2.1", "b.example");
  look_at("dns");
  EXPECT_THAT(lines()[2], AllOf(HasSubstr("1.0"), HasSubstr("250.0ms"),
                                HasSubstr("a.example 50%, b.example 50%")));
}

TEST_F(Frames, move_no_further_than_to_the_last_row) {
  add_lookup("a");
  add_lookup("b");
  look_at("dns");
  look_.first = 1;
  EXPECT_THAT(lines()[2], StartsWith("b "));
  look_.first = 1000;
  EXPECT_THAT(lines()[2], StartsWith("b "));
  EXPECT_EQ(look_.first, 1u);
}

TEST_F(Frames, say_why_there_is_nothing) {
  watch_.add_status(status(100, 8, 30, "off"), kBegin + 3s);
  look_at("dns");
  EXPECT_THAT(text(), HasSubstr("No dns.query in the last 2 s. The observer dns is off: nobody "));
  look_at("stories");
  EXPECT_THAT(text(), HasSubstr("No stories yet."));
}

TEST_F(Frames, say_that_they_are_held_and_that_records_were_missed) {
  watch_.add_line(json(R"({"name":"gap","stage":"stream","count":7})"), kBegin);
  look_.paused = true;
  EXPECT_THAT(lines()[0], AllOf(HasSubstr("overview (held)"), HasSubstr(", 7 missed")));
}

TEST_F(Frames, let_no_control_character_through) {
  add_story(1, "a\x1b[2Jb");
  add_lookup("\\u001b[2J", "\\u009b");
  watch_.add_status(json(R"({"observers":[{"name":"\u001b","state":"on","reason":"\n"}]})"),
                    kBegin);
  for (const std::string_view page : {"overview", "stories", "observers", "dns"}) {
    look_at(page);
    EXPECT_THAT(lines(), Each(Not(HasSubstr("\x1b"))));
    EXPECT_THAT(lines(), Each(Not(HasSubstr("\n"))));
  }
}

TEST_F(Frames, without_a_size_have_every_line_whole_and_no_footer) {
  add_story(1, std::string(300, 'x'));
  EXPECT_THAT(text({}), HasSubstr(std::string(300, 'x')));
  EXPECT_THAT(text({}), Not(HasSubstr("q quit")));
}

TEST_F(Frames, explain_the_keys) {
  look_.help = true;
  EXPECT_THAT(text(), HasSubstr("Ctrl-C"));
  EXPECT_THAT(lines(), SizeIs(kSmall.rows));
}

TEST_F(Frames, are_one_object_for_programs) {
  add_story(1, "sh \"x\"");
  add_lookup("192.0.2.1");
  const auto all = json(frame_json(watch_, pages_, 0, {kBegin + 2s, 0s}));
  EXPECT_EQ(all["stories"].items()[0]["title"].text(), "sh \"x\"");
  EXPECT_EQ(all["stories"].items()[0]["id"].text(), "00000001.1");
  EXPECT_DOUBLE_EQ(all["observers"].items()[1]["events_per_second"].number(), 100);
  const Json& view = all["views"].items()[0];
  EXPECT_EQ(view["record"].text(), "dns.query");
  EXPECT_DOUBLE_EQ(view["rows"].items()[0]["QUERIES/s"].number(), 0.5);
  EXPECT_EQ(view["rows"].items()[0]["NAMES"].items()[0]["text"].text(), "a.example");
  EXPECT_TRUE(view["rows"].items()[0]["FAILED/s"].is_number());
}

TEST(Pages, are_ours_and_what_observers_declare) {
  EXPECT_THAT(page_names(observers()), ElementsAre("overview", "stories", "observers", "dns"));
  EXPECT_EQ(pages(observers(), "dns", std::nullopt)->first, 3u);
}

TEST(Pages, of_a_record_that_nobody_declared_a_view_for_come_from_its_schema) {
  const auto made = pages(observers(), "job.signal", std::nullopt);
  const View& view = *made->all[made->first].view;
  EXPECT_EQ(view.head, "PROCESS");
  EXPECT_EQ(view.figures[0].head, "RECORDS/s");
  EXPECT_EQ(made->all[made->first].observer, "job");
  const auto lookups = pages(observers(), "dns.query", "server.address");
  std::vector<std::string_view> heads;
  for (const Figure& figure : lookups->all[lookups->first].view->figures)
    heads.push_back(figure.head);
  EXPECT_THAT(heads, ElementsAre("RECORDS/s", "NAME", "RCODE", "LATENCY", "p99"));
  EXPECT_EQ(lookups->all[lookups->first].view->head, "SERVER");
}

TEST(Pages, may_be_by_another_field) {
  const auto made = pages(observers(), "dns", "dns.question.name");
  EXPECT_EQ(made->all[made->first].view->head, "NAME");
  EXPECT_EQ(made->all[made->first].view->figures.size(), kServers.figures.size());
}

TEST(Pages, that_are_not_there_are_refused_with_a_hint) {
  EXPECT_THAT(pages(observers(), "dms", std::nullopt).error().what, HasSubstr("did you mean dns?"));
  EXPECT_THAT(pages(observers(), "zzzzzzzz", std::nullopt).error().what,
              HasSubstr("there are overview, stories, observers, dns, and every record"));
  EXPECT_THAT(pages(observers(), "dns", "server.adress").error().what,
              HasSubstr("did you mean server.address?"));
  EXPECT_THAT(pages(observers(), "stories", "x").error().what, HasSubstr("--by wants a view"));
}

}  // namespace
}  // namespace tapio::cli
