// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "cli/commands.hpp"
#include "cli/fake_agent.hpp"
#include "cli/load.hpp"
#include "cli/out.hpp"
#include "cli/printer.hpp"
#include "evaluate/engine.hpp"
#include "record/gap.hpp"
#include "serve/local_socket.hpp"

namespace tapio::cli {
namespace {

using namespace std::literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class Api final : public serve::Api {
 public:
  std::string status_json() override { return status; }
  std::string stories_json(std::optional<std::chrono::nanoseconds> since) override {
    asked = true;
    return since ? "[]" : stories;
  }
  std::string reload_json() override { return reload; }
  std::string reload = R"({"kept":false,"changed":[],"restart":[],"wrong":[]})";
  std::atomic<bool> asked = false;
  std::string status = R"({"version":"9","observers":[{"name":"job","state":"on"}]})";
  std::string stories =
      R"([{"id":"00000001.2","time":"2026-11-21T02:03:04Z","title":"a\u001b died","cause":{}}])";
};

class Cli : public testing::Test {
 protected:
  Cli() { ::unsetenv("TAPIO_SOCKET"); }

  int tapio(std::vector<const char*> words) {
    words.insert(words.begin(), "tapio");
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = cli::main(static_cast<int>(words.size()), words.data(), agent_);
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return code;
  }
  void serve() {
    auto opened = serve::LocalSocket::open(socket_, api_);
    ASSERT_TRUE(opened) << opened.error().what;
    server_ = std::move(*opened);
  }

  Directory directory_{testing::TempDir()};
  std::string socket_ = directory_.file("s");
  Api api_;
  FakeAgent agent_;
  std::unique_ptr<serve::LocalSocket> server_;
  std::string out_, err_;
};

TEST_F(Cli, alone_prints_help) {
  EXPECT_EQ(tapio({}), 0);
  EXPECT_THAT(out_, HasSubstr("Usage: tapio COMMAND"));
  EXPECT_EQ(tapio({"trace", "--help"}), 0);
  EXPECT_THAT(out_, HasSubstr("\n  delivery dns job query signal start\n"));
}

TEST_F(Cli, prints_its_version) {
  EXPECT_EQ(tapio({"version"}), 0);
  EXPECT_EQ(out_, "tapio 1.2.3\n");
  tapio({"version", "--json"});
  EXPECT_EQ(out_, "{\"version\":\"1.2.3\"}\n");
}

TEST_F(Cli, used_wrongly_exits_2_with_one_line) {
  EXPECT_EQ(tapio({"stat\x1b"}), 2);
  EXPECT_EQ(out_, "");
  EXPECT_THAT(err_, StartsWith("tapio: unknown command 'stat\\x1b'"));
  EXPECT_EQ(std::ranges::count(err_, '\n'), 1);
}

TEST_F(Cli, runs_the_agent_with_file_and_settings) {
  const auto file = directory_.file("t.yaml", "observers: {job: {rate: 7}}\n");
  EXPECT_EQ(tapio({"run", "--config", file.c_str(), "--for", "5s", "-o", "json"}), 0) << err_;
  EXPECT_EQ(agent_.rate, 7u);
  EXPECT_EQ(agent_.duration, 5s);
  EXPECT_EQ(agent_.format, Format::json);
  EXPECT_EQ(agent_.socket_used, "/nowhere/s");
  EXPECT_EQ(tapio({"run", "--config", file.c_str(), "--set", "observers.job.rate=8"}), 0);
  EXPECT_EQ(agent_.rate, 8u);
}

TEST_F(Cli, gives_the_agent_a_way_to_read_its_configuration_again) {
  const auto file = directory_.file("t.yaml", "observers: {job: {rate: 7}}\n");
  EXPECT_EQ(tapio({"run", "--config", file.c_str(), "--set", "observers.job.signals=KILL"}), 0);
  EXPECT_EQ(agent_.file, file);
  ASSERT_EQ(directory_.file("t.yaml", "observers: {job: {rate: 8}}\n"), file);
  const auto good = agent_.reread();
  ASSERT_TRUE(good);
  EXPECT_EQ(good->tree.at("observers.job").as<JobConfig>().rate, 8u);
  EXPECT_THAT(good->tree.at("observers.job").as<JobConfig>().signals, ElementsAre("KILL"))
      << "what the command line set holds";
  EXPECT_EQ(good->file, file);
  ASSERT_EQ(directory_.file("t.yaml", "observers: {job: {rat: 8}}\n"), file);
  const auto bad = agent_.reread();
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error(), ElementsAre(StartsWith(file + ":1:19: unknown setting 'rat'")));
  std::filesystem::remove(file);
  EXPECT_THAT(agent_.reread().error(), ElementsAre(StartsWith("cannot open " + file)));
}

TEST_F(Cli, does_not_read_standard_input_twice) {
  const auto reread = rereading(agent_, "-", {});
  EXPECT_THAT(reread().error(), ElementsAre(HasSubstr("cannot be read again")));
}

TEST_F(Cli, says_what_a_reload_changed_and_what_waits) {
  serve();
  api_.reload = R"({"kept":false,"wrong":[],
    "changed":[{"setting":"log.level","before":"info","after":"debug"}],
    "restart":[{"setting":"observers.job.ring","before":"4KiB","after":"8KiB\u001b"}]})";
  EXPECT_EQ(tapio({"reload", "--socket", socket_.c_str()}), 0);
  EXPECT_EQ(out_,
            "changed\n  log.level: info -> debug\n"
            "needs a restart\n  observers.job.ring: 4KiB -> 8KiB\\x1b\n");
  EXPECT_EQ(err_, "");
  EXPECT_EQ(tapio({"reload", "--socket", socket_.c_str(), "--json"}), 0);
  EXPECT_EQ(out_, api_.reload + "\n");
}

TEST_F(Cli, says_that_a_reload_changed_nothing) {
  serve();
  EXPECT_EQ(tapio({"reload", "--socket", socket_.c_str()}), 0);
  EXPECT_EQ(out_, "nothing changed\n");
}

TEST_F(Cli, exits_1_when_the_old_configuration_is_kept_and_says_why) {
  serve();
  api_.reload =
      R"({"kept":true,"changed":[],"restart":[],"wrong":["t.yaml:3:1: unknown setting 'x'"]})";
  EXPECT_EQ(tapio({"reload", "--socket", socket_.c_str()}), 1);
  EXPECT_EQ(out_, "");
  EXPECT_EQ(err_, "tapio: t.yaml:3:1: unknown setting 'x'\ntapio: the old configuration is kept\n");
  EXPECT_EQ(tapio({"reload", "--socket", "/nowhere/s"}), 1);
  EXPECT_THAT(err_, HasSubstr("no agent answers at /nowhere/s"));
}

TEST_F(Cli, hands_on_what_is_to_be_recorded_and_replayed) {
  EXPECT_EQ(tapio({"run"}), 0) << err_;
  EXPECT_FALSE(agent_.recording);
  EXPECT_TRUE(agent_.sinks);
  EXPECT_EQ(tapio({"record", "x.rec", "--max-bytes", "1MiB", "--no-sinks"}), 0) << err_;
  ASSERT_TRUE(agent_.recording);
  EXPECT_EQ(agent_.recording->file, "x.rec");
  EXPECT_EQ(agent_.recording->max_bytes, 1u << 20);
  EXPECT_FALSE(agent_.recording->replace);
  EXPECT_FALSE(agent_.sinks);
  EXPECT_EQ(tapio({"replay", "x.rec", "--quiet"}), 0) << err_;
  EXPECT_EQ(agent_.replayed.file, "x.rec");
  EXPECT_TRUE(agent_.replayed.quiet);
  EXPECT_FALSE(agent_.replayed.stats);
}

TEST_F(Cli, says_everything_that_is_wrong_with_the_configuration) {
  const auto file = directory_.file("t.yaml", "observers: {job: {rat: 7, rate: 0}}\n");
  EXPECT_EQ(tapio({"run", "--config", file.c_str(), "--set", "observers.job.rtae=1", "--set",
                   "observers.job.rate=0"}),
            2);
  EXPECT_EQ(agent_.runs, 0);
  EXPECT_EQ(std::ranges::count(err_, '\n'), 4) << err_;
  EXPECT_THAT(err_, HasSubstr("did you mean observers.job.rate?"));
  EXPECT_EQ(tapio({"run", "--config", "/nowhere/t.yaml"}), 2);
  EXPECT_THAT(err_, StartsWith("tapio: cannot open /nowhere/t.yaml: No such file"));
}

TEST_F(Cli, prefers_the_option_to_the_environment_to_the_configuration) {
  ::setenv("TAPIO_SOCKET", "/env", 1);
  tapio({"run"});
  EXPECT_EQ(agent_.socket_used, "/env");
  tapio({"run", "--socket", "/option"});
  EXPECT_EQ(agent_.socket_used, "/option");
  ::setenv("TAPIO_SOCKET", "", 1);
  tapio({"run"});
  EXPECT_EQ(agent_.socket_used, "/nowhere/s");
}

TEST_F(Cli, turns_a_fault_into_its_exit_code) {
  const std::pair<Fault, int> codes[] = {{Fault::invalid, 2},     {Fault::denied, 3},
                                         {Fault::unsupported, 4}, {Fault::exhausted, 1},
                                         {Fault::unavailable, 1}, {Fault::broken, 1}};
  for (const auto& [fault, code] : codes) {
    agent_.result = fail(fault, "needs CAP_BPF");
    EXPECT_EQ(tapio({"run"}), code);
    EXPECT_EQ(err_, "tapio: needs CAP_BPF\n");
  }
}

TEST_F(Cli, checks_explains_and_prints_the_configuration) {
  const auto good = directory_.file("good.yaml", "observers: {job: {rate: 7}}\n");
  EXPECT_EQ(tapio({"config", "check", good.c_str()}), 0);
  EXPECT_EQ(out_, good + " is fine: 1 setting differs from the default\n");
  const auto bad = directory_.file("bad.yaml", "observers: {jab: {}, job: {rate: 0}}\n");
  EXPECT_EQ(tapio({"config", "check", bad.c_str()}), 1);
  EXPECT_EQ(std::ranges::count(err_, '\n'), 2) << err_;
  EXPECT_EQ(tapio({"config", "explain", "observers.job.rate"}), 0);
  EXPECT_THAT(out_, HasSubstr("Jobs per second."));
  EXPECT_EQ(tapio({"config", "explain", "observers.job.rate", "--config", good.c_str()}), 0);
  EXPECT_THAT(out_, HasSubstr("  current  7\n"));
  EXPECT_EQ(tapio({"config", "explain", "observers.job.rate", "--config", bad.c_str()}), 0);
  EXPECT_THAT(err_, HasSubstr("unknown"));
  EXPECT_THAT(out_, HasSubstr("Jobs per second."));
  EXPECT_EQ(tapio({"config", "explain", "observers.jub"}), 2);
  EXPECT_EQ(tapio({"config", "default"}), 0);
  const auto printed = directory_.file("default.yaml", out_);
  EXPECT_EQ(tapio({"config", "check", printed.c_str()}), 0);
  EXPECT_THAT(out_, HasSubstr("0 settings differ"));
}

TEST_F(Cli, config_check_finds_what_is_wrong_with_files_that_settings_name) {
  const auto good = directory_.file("good.yaml", "observers: {job: {rate: 7}}\n");
  agent_.checked = invalid("btf.path: /nowhere/btf: No such file or directory");
  EXPECT_EQ(tapio({"config", "check", good.c_str()}), 1);
  EXPECT_THAT(err_, HasSubstr(good + ": btf.path: /nowhere/btf: No such file or directory"));
  EXPECT_EQ(out_, "");
}

TEST_F(Cli, doctor_reports_a_broken_configuration_too) {
  agent_.report = {{{"kernel", Verdict::ok, "fine"}}};
  EXPECT_EQ(tapio({"doctor"}), 0);
  EXPECT_EQ(tapio({"doctor", "--config", "/nowhere/c"}), 1);
  EXPECT_THAT(out_, HasSubstr("problem     configuration  cannot open /nowhere/c"));
  agent_.report.checks.push_back({"capabilities", Verdict::denied, "no CAP_BPF"});
  EXPECT_EQ(tapio({"doctor", "--config", "/nowhere/c", "--json"}), 3);
}

TEST_F(Cli, top_prints_one_picture_and_one_object) {
  serve();
  EXPECT_EQ(tapio({"top", "--once", "--for", "1ms", "--socket", socket_.c_str()}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("overview  up "));
  EXPECT_THAT(out_, HasSubstr("No stories yet."));
  EXPECT_THAT(out_, HasSubstr("OBSERVER  STATE"));
  EXPECT_EQ(tapio({"top", "dns", "--json", "--for", "1ms", "--socket", socket_.c_str()}), 0);
  const auto json = serve::parse_json(out_);
  ASSERT_TRUE(json) << out_;
  EXPECT_EQ((*json)["views"].items()[0]["name"].text(), "dns");
}

TEST_F(Cli, top_says_what_is_in_its_way) {
  EXPECT_EQ(tapio({"top", "--socket", socket_.c_str()}), 1);
  EXPECT_THAT(err_, HasSubstr("no agent answers at " + socket_));
  serve();
  EXPECT_EQ(tapio({"top", "--socket", socket_.c_str()}), 2);
  EXPECT_EQ(err_, "tapio: this is no terminal to show a picture on; --once prints one\n");
  EXPECT_EQ(tapio({"top", "dms"}), 2);
  EXPECT_THAT(err_, HasSubstr("did you mean dns?"));
  EXPECT_EQ(tapio({"top", "dns", "--sort", "p98"}), 2);
  EXPECT_THAT(err_, HasSubstr("there are QUERIES/s, FAILED/s, P50, P99, NAMES, SERVER"));
}

TEST_F(Cli, shows_the_status_of_the_agent) {
  EXPECT_EQ(tapio({"status", "--socket", socket_.c_str()}), 1);
  EXPECT_THAT(err_, HasSubstr("no agent answers at " + socket_));
  serve();
  EXPECT_EQ(tapio({"status", "--socket", socket_.c_str()}), 0);
  EXPECT_THAT(out_, StartsWith("tapio 9, pid 0"));
  EXPECT_EQ(tapio({"status", "--json", "--socket", socket_.c_str()}), 0);
  EXPECT_EQ(out_, api_.status + "\n");
}

TEST_F(Cli, tells_stories) {
  serve();
  EXPECT_EQ(tapio({"stories", "--socket", socket_.c_str()}), 0);
  EXPECT_THAT(out_, StartsWith("a\\x1b died\n  when"));
  EXPECT_EQ(tapio({"stories", "--json", "--socket", socket_.c_str()}), 0);
  EXPECT_EQ(out_, api_.stories + "\n");
  EXPECT_EQ(tapio({"stories", "--since", "1m", "--socket", socket_.c_str()}), 0);
  EXPECT_EQ(out_, "No stories yet.\n");
}

TEST_F(Cli, traces_with_programs_of_its_own_when_no_agent_answers) {
  EXPECT_EQ(tapio({"trace", "signals", "--socket", socket_.c_str(), "--uid", "5", "--pid", "6",
                   "--signal", "KILL", "--comm", "x", "--container"}),
            0);
  EXPECT_THAT(err_, HasSubstr("loading programs of its own: no agent answers"));
  EXPECT_THAT(agent_.schemas, ElementsAre(&kSignal, &kDelivery));
  EXPECT_TRUE(agent_.job.enabled);
  EXPECT_FALSE(agent_.dns.enabled);
  EXPECT_EQ(agent_.job.uid, "5");
  EXPECT_TRUE(agent_.job.container_only);
  EXPECT_THAT(agent_.job.signals, ElementsAre("9"));
  // The kernel does not know pids here, nor does this observer have a filter for names.
  EXPECT_THAT(agent_.where, ElementsAre(Where{"pid", {"6"}}, Where{"signal.number", {"9"}},
                                        Where{"process.executable.name", {"x"}}));
}

TEST_F(Cli, refuses_a_filter_that_nothing_can_apply) {
  EXPECT_EQ(tapio({"trace", "dns", "--standalone", "--container"}), 2);
  EXPECT_THAT(err_, HasSubstr("observers.dns has no --container"));
  EXPECT_EQ(agent_.traces, 0);
  EXPECT_EQ(tapio({"trace", "xyzzy"}), 2);
}

TEST_F(Cli, traces_alone_what_the_running_agent_cannot_serve) {
  serve();
  tapio({"trace", "start", "--standalone", "--socket", socket_.c_str()});
  EXPECT_THAT(err_, HasSubstr("asked by --standalone"));
  tapio({"trace", "start", "--container", "--socket", socket_.c_str()});
  EXPECT_THAT(err_, HasSubstr("do not say what runs in a container"));
  tapio({"trace", "signals", "--uid", "0", "--socket", socket_.c_str()});
  EXPECT_THAT(err_, HasSubstr("job.signal records have no process.user.id for --uid"));
  api_.status = R"({"observers":[{"name":"job","state":"denied"}]})";
  tapio({"trace", "start", "--socket", socket_.c_str()});
  EXPECT_THAT(err_, HasSubstr("observer job is denied"));
  EXPECT_EQ(agent_.traces, 4);
}

// Offers batches to the stream as soon as there is one.
class Feeder {
 public:
  Feeder(serve::LocalSocket& server, std::vector<std::shared_ptr<const Batch>> batches)
      : thread_([&server, all = std::move(batches)] {
          while (server.counts().streams == 0) std::this_thread::yield();
          for (const auto& batch : all) server.offer(batch);
        }) {}
  ~Feeder() { thread_.join(); }

 private:
  std::thread thread_;
};

std::shared_ptr<const Batch> starts(const std::vector<std::uint32_t>& users) {
  auto batch = std::make_shared<Batch>();
  for (const auto user : users)
    batch->records.push_back(kStart(Origin{.time = 5s, .pid = 7, .tid = 7}, user, "a\x1b"sv,
                                    std::span<const std::string_view>()));
  batch->records.push_back(
      kGap(Origin{}, "job"sv, "normal"sv, "kernel"sv, "ring_full"sv, 0s, 0s, 4u));
  return batch;
}

TEST_F(Cli, traces_from_the_running_agent) {
  serve();
  {
    const Feeder feeder(*server_, {starts({1, 2}), starts({2, 2, 2})});
    EXPECT_EQ(tapio({"trace", "start", "--uid", "2", "--max", "3", "--socket", socket_.c_str()}),
              0);
  }
  EXPECT_THAT(err_, HasSubstr("reading from the agent at " + socket_));
  EXPECT_EQ(agent_.traces, 0);
  EXPECT_EQ(std::ranges::count(out_, '\n'), 5) << out_;  // head, one, the gap, two
  EXPECT_THAT(out_, HasSubstr("a\\x1b"));
  EXPECT_THAT(out_, HasSubstr("ring_full"));
}

TEST_F(Cli, passes_the_agents_json_on) {
  serve();
  {
    const Feeder feeder(*server_, {starts({1})});
    tapio({"trace", "start", "--max", "1", "-o", "json", "--socket", socket_.c_str()});
  }
  const auto json = serve::parse_json(out_);
  ASSERT_TRUE(json) << out_;
  EXPECT_EQ((*json)["process.user.id"].count(), 1u);
}

TEST_F(Cli, stops_when_the_time_is_up) {
  serve();
  EXPECT_EQ(tapio({"trace", "start", "--for", "1ms", "--socket", socket_.c_str()}), 0);
}

TEST_F(Cli, follows_stories_without_telling_one_twice) {
  serve();
  auto batch = std::make_shared<Batch>();
  for (const std::uint64_t number : {2, 3}) {
    Story story;
    story.title = fmt::format("story {}", number);
    batch->records.push_back(story_record(story, batch->arena));
    batch->records.back().id = {1, number};
  }
  std::thread agent([&] {
    while (!api_.asked) std::this_thread::yield();
    server_->offer(batch);
    server_.reset();
  });
  EXPECT_EQ(tapio({"stories", "--follow", "--socket", socket_.c_str()}), 1);
  agent.join();
  EXPECT_EQ(err_, "tapio: the agent stopped\n");
  EXPECT_THAT(out_, StartsWith("a\\x1b died\n"));
  EXPECT_THAT(out_, HasSubstr("\n\nstory 3\n"));
  EXPECT_EQ(out_.find("story 2"), std::string::npos);
}

TEST(Printer, ends_when_the_reader_has_gone) {
  std::array<int, 2> ends;
  ASSERT_EQ(::pipe(ends.data()), 0);
  ::signal(SIGPIPE, SIG_IGN);
  const Fd kept(::dup(STDOUT_FILENO));
  ::close(ends[0]);
  ::dup2(ends[1], STDOUT_FILENO);
  ::close(ends[1]);
  const TraceOptions options{.configuration = {},
                             .schemas = {&kStart},
                             .where = {},
                             .format = Format::json,
                             .duration = {},
                             .max = {}};
  Printer printer(options);
  const auto more = printer.print(*starts({1}));
  ::dup2(kept.get(), STDOUT_FILENO);
  ASSERT_TRUE(more);
  EXPECT_FALSE(*more);
}

}  // namespace
}  // namespace tapio::cli
