// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/commands.hpp"

namespace tapio::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string text_of(std::string_view json) {
  const auto parsed = serve::parse_json(json);
  EXPECT_TRUE(parsed);
  return status_text(*parsed);
}

constexpr std::string_view kStatus = R"({"version":"0.1.0","pid":42,"uptime_seconds":125,
  "start":{"attached_ms":81.4,"missing":["/proc shows no process"]},
  "configuration":{"file":"/etc/tapio/tapio.yaml",
    "reload":{"time":"2026-11-25T20:00:00Z","summary":"2 settings changed"}},
  "memory":{"rss_bytes":12582912,"ring_bytes":786432,"map_bytes":1048576},
  "cost":{"cpu_ms":1500,"fault":"",
    "observers":[{"name":"process","kernel_share":0.0042,"user_share":0.001,"map_bytes":1024,
                  "ring_bytes":262144}],
    "programs":[{"observer":"process","program":"fork_btf","kernel_us":10,"kernel_share":0.0002,
                 "ns_per_run":412.4,"runs_per_second":4.85},
                {"observer":"process","program":"exec_btf","kernel_us":90,"kernel_share":0.004,
                 "ns_per_run":2101,"runs_per_second":19},
                {"observer":"process","program":"oom_btf","kernel_us":0,"ns_per_run":0}]},
  "processes":{"live":210,"exited":17},"stories":{"told":3,"suppressed":0},
  "btf":{"from":"setting","path":"/srv/btf","trouble":"/sys/kernel/btf/vmlinux: No such file"},
  "observers":[{"name":"process","state":"on","reason":""},
               {"name":"dns","state":"denied","reason":"needs CAP_BPF",
                "counters":{"evicted":3,"strays":0}}],
  "hooks":[{"name":"fork","observer":"process","program":"fork_btf","canary":"seen"},
           {"name":"signal","observer":"process","program":"","reason":"no tracepoint"}],
  "ledger":{"residue":0,"rows":[{"observer":"process","hook":"fork","class":"state","entered":900,
            "filtered":1,"wanted":899,"emitted":899,"read":899}]},
  "loss":[],
  "sinks":[{"name":"json","offered":10,"sent":7,"dropped":2,"pending":1}]})";

TEST(StatusText, shows_all_that_the_agent_says) {
  EXPECT_EQ(text_of(kStatus), R"(tapio 0.1.0, pid 42, up 2m5s, attached in 81 ms
config     /etc/tapio/tapio.yaml; reload at 2026-11-25T20:00:00Z: 2 settings changed
memory     12.0MiB resident, 768.0KiB rings, 1.0MiB maps
cost       1.5 s of CPU; of one lately 0.10 % in observers and 0.42 % in programs
missing    /proc shows no process
processes  210 live, 17 exited and remembered
stories    3 told, 0 suppressed
btf        /srv/btf, because /sys/kernel/btf/vmlinux: No such file
observers
  process  on
  dns      denied  needs CAP_BPF
counters
  dns.evicted  3
cost, of a CPU
  OBSERVER  AGENT   PROGRAMS  MAPS    RING
  process   0.10 %  0.42 %    1.0KiB  256.0KiB
  PROGRAM           NS/RUN  RUNS/S  CPU
  process.exec_btf  2101    19.0    0.40 %
  process.fork_btf  412     4.8     0.02 %
hooks
  process.fork    fork_btf  seen
  process.signal  off             no tracepoint
ledger     residue 0
  HOOK          ENTERED  FILTERED  WANTED  EMITTED  READ
  process.fork  900      1         899     899      899
lost       nothing
sinks
  json  7 sent of 10, 2 dropped, 1 pending
)");
}

TEST(StatusText, warns_of_a_residue_and_lists_losses) {
  const auto text = text_of(R"({"ledger":{"residue":-3},"loss":[
      {"observer":"process","class":"bulk","stage":"kernel","reason":"ring_full","count":5}]})");
  EXPECT_THAT(text, HasSubstr("residue -3: something is lost"));
  EXPECT_THAT(text, HasSubstr("lost\n  5  process  bulk  kernel  ring_full\n"));
}

TEST(StatusText, without_btf_it_says_why_and_where_to_look) {
  EXPECT_THAT(text_of(R"({"btf":{"from":"nowhere","path":"","trouble":"btf.path: /x: is empty"}})"),
              HasSubstr("btf        none, because btf.path: /x: is empty; `tapio doctor` says what "
                        "to do\n"));
}

TEST(StatusText, what_programs_cost_is_not_told_where_nobody_counts) {
  const auto text = text_of(R"({"cost":{"cpu_ms":20,"fault":"counting run time takes CAP_SYS_ADMIN",
      "observers":[{"name":"dns","kernel_share":0,"user_share":0.02}],
      "programs":[{"observer":"dns","program":"send_btf","ns_per_run":0}]}})");
  EXPECT_THAT(text, HasSubstr("? % (counting run time takes CAP_SYS_ADMIN) in programs\n"));
  EXPECT_THAT(text, HasSubstr("  dns       2.00 %  ?         "));
  EXPECT_THAT(text, Not(HasSubstr("PROGRAM ")));
}

TEST(StatusText, a_budget_is_told_with_what_is_spared_for_it) {
  EXPECT_THAT(text_of(R"({"budget":{"cpu":0.2,"cpu_used":0.153,"memory_bytes":104857600,
      "memory_used_bytes":52428800,"spares":"it only counts bulk events"}})"),
              HasSubstr("budget     15.3 % of a CPU of 20 %, 50.0MiB of 100.0MiB; it only counts "
                        "bulk events\n"));
  EXPECT_THAT(text_of(R"({"budget":{"cpu":0,"memory_bytes":0,"memory_used_bytes":5}})"),
              Not(HasSubstr("budget")));
}

TEST(StatusText, survives_any_json) {
  for (const auto json : {"null", "{}", "[]", R"({"observers":{},"hooks":[1,null],"loss":"x"})",
                          R"({"memory":{},"ledger":{"rows":[{}]},"uptime_seconds":1e300})",
                          R"({"cost":{"observers":{},"programs":[1,{}],"fault":3}})"})
    EXPECT_THAT(text_of(json), HasSubstr("tapio"));
}

TEST(StatusText, stays_short_and_steers_no_terminal) {
  std::string json = R"({"version":"\u001b[2J","hooks":[)";
  for (int i = 0; i < 1000; ++i) json += R"({"name":"\u001b[2J\n"},)";
  const auto text = text_of(json + "{}]}");
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_THAT(text, HasSubstr("and 977 more, see --json"));
  EXPECT_LT(std::ranges::count(text, '\n'), 40);
}

const DoctorReport kReport{{{"kernel BTF", Verdict::ok, "/sys/kernel/btf/vmlinux"},
                            {"ring\x1b", Verdict::warning, "none\x1b[2J", "use 5.8"}}};

TEST(DoctorText, aligns_and_escapes) {
  EXPECT_EQ(doctor_text(kReport),
            "ok          kernel BTF  /sys/kernel/btf/vmlinux\n"
            "warning     ring\\x1b    none\\x1b[2J\n"
            "                        -> use 5.8\n"
            "0 problems, 1 warning.\n");
  EXPECT_THAT(doctor_text({}), HasSubstr("Everything is fine."));
}

TEST(DoctorJson, is_json) {
  const auto json = serve::parse_json(doctor_json(kReport));
  ASSERT_TRUE(json);
  ASSERT_EQ(json->items().size(), 2u);
  EXPECT_EQ(json->items()[1]["verdict"].text(), "warning");
  EXPECT_EQ(json->items()[1]["advice"].text(), "use 5.8");
  EXPECT_EQ(doctor_json({}), "[]\n");
}

TEST(DoctorExit, is_of_the_worst) {
  const auto exit = [](const std::vector<Verdict>& verdicts) {
    DoctorReport report;
    for (const auto verdict : verdicts) report.checks.push_back({"", verdict, ""});
    return exit_of(report);
  };
  EXPECT_EQ(exit({Verdict::ok, Verdict::info, Verdict::warning}), Exit::fine);
  EXPECT_EQ(exit({Verdict::problem, Verdict::ok}), Exit::wrong);
  EXPECT_EQ(exit({Verdict::denied, Verdict::problem}), Exit::denied);
  EXPECT_EQ(exit({Verdict::denied, Verdict::unsupported}), Exit::unsupported);
}

}  // namespace
}  // namespace tapio::cli
