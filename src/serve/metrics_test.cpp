// SPDX-License-Identifier: Apache-2.0
#include "serve/metrics.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "serve/metric_records.hpp"

namespace tapio::serve {
namespace {

using namespace std::literals;
using testing::HasSubstr;
using testing::Not;

constexpr SchemaOf kStops{"test.stops",
                          Kind::metric,
                          "How often it stopped.",
                          Field{"why", Type::text, ""},
                          Field{"number", Type::u64, ""},
                          Field{"count", Type::u64, "", "", "1"}};
constexpr SchemaOf kLoad{"test.load",
                         Kind::metric,
                         "How much there is.",
                         Field{"who", Type::text, ""},
                         Field{"memory.used", Type::u64, "Memory.", "", "By"},
                         Field{"wait", Type::duration, "Time.", "", "s"}};

class Records : public testing::Test {
 protected:
  void stop(const std::string& why, std::uint64_t count, MonotonicTime time = 1s) {
    Batch batch;
    batch.records.push_back(kStops({.time = time}, batch.arena.keep(why), 9u, count));
    metrics.add(batch);
  }
  [[nodiscard]] std::string text() const {
    Exposition out;
    metrics.append_to(out, now);
    return std::move(out).text();
  }
  MetricRecords metrics{3};
  MonotonicTime now = 1s;
};

TEST_F(Records, a_count_is_summed_by_its_labels) {
  stop("tired", 2);
  stop("tired", 3);
  stop("done", 1);
  EXPECT_EQ(text(),
            "# HELP tapio_test_stops_total How often it stopped.\n"
            "# TYPE tapio_test_stops_total counter\n"
            "tapio_test_stops_total{why=\"done\",number=\"9\"} 1\n"
            "tapio_test_stops_total{why=\"tired\",number=\"9\"} 5\n");
}

TEST_F(Records, other_values_are_gauges_with_their_unit_in_the_name) {
  Batch batch;
  const Context context{.place = {.container_id = "c1"}};
  for (const std::uint64_t used : {10u, 7u}) {
    batch.records.push_back(kLoad({}, "x"sv, used, std::chrono::nanoseconds(1'500ms)));
    batch.records.back().context = &context;
  }
  metrics.add(batch);
  EXPECT_THAT(text(),
              HasSubstr("# HELP tapio_test_load_memory_used_bytes How much there is. Memory.\n"));
  EXPECT_THAT(text(), HasSubstr("# TYPE tapio_test_load_memory_used_bytes gauge\n"
                                "tapio_test_load_memory_used_bytes"
                                "{who=\"x\",container_id=\"c1\"} 7\n"));
  EXPECT_THAT(text(), HasSubstr("tapio_test_load_wait_seconds{who=\"x\",container_id=\"c1\"} 1.5"));
}

TEST_F(Records, a_gauge_that_nobody_reports_any_more_is_gone_and_a_counter_stays) {
  Batch batch;
  batch.records.push_back(kLoad({.time = 1s}, "x"sv, 5u, std::chrono::nanoseconds(0)));
  metrics.add(batch);
  stop("done", 1);
  now = 61s;
  EXPECT_THAT(text(), HasSubstr("tapio_test_load_memory_used_bytes{who=\"x\"} 5\n"));
  now = 62s;
  EXPECT_THAT(text(), Not(HasSubstr("who=\"x\"")));
  EXPECT_THAT(text(), HasSubstr("tapio_test_stops_total{why=\"done\",number=\"9\"} 1\n"));
}

TEST_F(Records, beyond_the_bound_is_one_more_series_and_nothing_is_lost_of_the_sum) {
  for (int i = 0; i < 10'000; ++i) stop(fmt::format("reason {}", i), 1);
  EXPECT_THAT(text(), HasSubstr("tapio_test_stops_total{overflow=\"true\"} 9997\n"));
  EXPECT_EQ(std::ranges::count(text(), '\n'), 2 + 3 + 1);
}

TEST_F(Records, a_series_that_is_silent_for_long_makes_room) {
  for (const auto* why : {"a", "b", "c"}) stop(why, 1, 1s);
  stop("b", 1, 10min);
  stop("d", 1, 12min);
  EXPECT_THAT(text(), HasSubstr("why=\"d\""));
  EXPECT_THAT(text(), HasSubstr("why=\"b\""));
  EXPECT_THAT(text(), Not(HasSubstr("why=\"a\"")));
}

TEST_F(Records, what_a_stranger_called_himself_stays_in_its_label_and_is_cut) {
  stop("\"} 1\nevil{\\\xff" + std::string(1000, 'x'), 1);
  EXPECT_THAT(text(), HasSubstr(R"({why="\"} 1\\nevil{\\\\xff)"));
  EXPECT_EQ(std::ranges::count(text(), '\n'), 3);
  EXPECT_LT(text().size(), 400u);
}

TEST(Metrics, the_status_of_the_agent_becomes_metrics) {
  const auto status = parse_json(R"({"version":"1.2","uptime_seconds":5,
    "observers":[{"name":"process","state":"on","health":"degraded",
                     "counters":{"lookups":12}}],
    "containers":{"described":3},
    "ledger":{"residue":-3,"rows":[{"observer":"process","hook":"fork","entered":9}],
      "classes":[{"observer":"process","hook":"fork","class":"state","wanted":7,"emitted":6,
                  "ring_full":1}],
      "observers":[{"name":"process","read":6,"records":{"state":{"emitted":4}}}]},
    "loss":[{"observer":"process","class":"state","stage":"kernel","reason":"ring_full","count":1}],
    "cost":{"cpu_ms":1500,"fault":"",
      "observers":[{"name":"process","kernel_us":2000000,"user_us":500000,"map_bytes":9,
                    "ring_bytes":8}],
      "programs":[{"observer":"process","program":"fork_btf","kernel_us":2000000,
                   "ns_per_run":500,"runs_per_second":4}],
      "threads":[{"name":"tapio-drain","user_us":250000}]},
    "sinks":[{"name":"stdout","offered":3,"sent":2,"dropped":1,"pending":0}]})");
  ASSERT_TRUE(status);
  Exposition out;
  append_status(out, *status);
  const auto text = std::move(out).text();
  for (const auto* line :
       {"tapio_build_info{version=\"1.2\"} 1\n",
        "tapio_uptime_seconds 5\n",
        "tapio_cpu_seconds_total 1.5\n",
        "tapio_ledger_residue -3\n",
        "tapio_observer_health{observer=\"process\",health=\"degraded\"} 1\n",
        "tapio_observer_health{observer=\"process\",health=\"healthy\"} 0\n",
        "tapio_observer_figure{observer=\"process\",figure=\"lookups\"} 12\n",
        "tapio_containers_described 3\n",
        "tapio_hook_entered_total{observer=\"process\",hook=\"fork\"} 9\n",
        R"(tapio_events_total{observer="process",hook="fork",class="state",outcome="ring_full"} 1)",
        "tapio_samples_read_total{observer=\"process\"} 6\n",
        "tapio_records_total{observer=\"process\",class=\"state\",outcome=\"emitted\"} 4\n",
        R"(tapio_lost_total{observer="process",class="state",stage="kernel",reason="ring_full"} 1)",
        R"(tapio_observer_cpu_seconds_total{observer="process",side="kernel"} 2)",
        R"(tapio_observer_cpu_seconds_total{observer="process",side="user"} 0.5)",
        "tapio_observer_map_bytes{observer=\"process\"} 9\n",
        "tapio_observer_ring_bytes{observer=\"process\"} 8\n",
        R"(tapio_program_cpu_seconds_total{observer="process",program="fork_btf"} 2)",
        R"(tapio_program_runs_per_second{observer="process",program="fork_btf"} 4)",
        R"(tapio_program_run_seconds{observer="process",program="fork_btf"} 5.0)",
        "tapio_thread_cpu_seconds_total{thread=\"tapio-drain\"} 0.25\n",
        "tapio_sink_sent_total{sink=\"stdout\"} 2\n"})
    EXPECT_THAT(text, HasSubstr(line));
  EXPECT_THAT(text, Not(HasSubstr("outcome=\"wanted\"")));
}

TEST(Metrics, what_programs_cost_is_not_there_while_it_is_not_known) {
  const auto status = parse_json(R"({"cost":{"fault":"no","observers":[{"name":"dns","user_us":1}],
      "programs":[{"observer":"dns","program":"send_btf"}]}})");
  ASSERT_TRUE(status);
  Exposition out;
  append_status(out, *status);
  const auto text = std::move(out).text();
  EXPECT_THAT(text, HasSubstr("side=\"user\""));
  EXPECT_THAT(text, Not(HasSubstr("side=\"kernel\"")));
  EXPECT_THAT(text, Not(HasSubstr("send_btf")));
}

}  // namespace
}  // namespace tapio::serve
