// SPDX-License-Identifier: Apache-2.0
// `query`, `explain` and `stories` with a real store, with and without an agent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/cli.hpp"
#include "cli/fake_agent.hpp"
#include "cli/record_words.hpp"
#include "cli/thing.hpp"
#include "evaluate/engine.hpp"
#include "export/store/store_sink.hpp"
#include "serve/local_socket.hpp"

namespace tapio::cli {
namespace {

using namespace std::literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr SchemaOf kForked{"process.fork", Kind::event, "A process began.",
                           Field{"process.parent_pid", Type::u64, "Who forked it."}};
constexpr SchemaOf kRan{"process.exec",
                        Kind::event,
                        "",
                        Field{"process.executable.path", Type::text, ""},
                        Field{"systemd.unit", Type::text, ""},
                        Field{"container.id", Type::text, ""},
                        Field{"process.command_args", Type::texts, ""}};
constexpr SchemaOf kEnded{"process.exit",
                          Kind::event,
                          "",
                          Field{"process.exit.code", Type::i64, ""},
                          Field{"process.exit.signal.name", Type::text, ""},
                          Field{"process.uptime", Type::duration, ""}};
constexpr SchemaOf kSent{"process.signal",
                         Kind::event,
                         "",
                         Field{"signal.name", Type::text, ""},
                         Field{"signal.target.pid", Type::u64, ""},
                         Field{"signal.target.name", Type::text, ""},
                         Field{"signal.result", Type::text, ""}};

constexpr const char* kContainer =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
// No pid_max reaches it, so nothing is alive there.
constexpr std::uint32_t kVictim = 4'200'001, kKiller = 4'200'002, kAgain = 4'200'003;

class Told final : public serve::Api {
 public:
  std::string status_json() override { return R"({"uptime_seconds":60})"; }
  std::string stories_json(std::optional<std::chrono::nanoseconds>) override { return stories; }
  std::string reload_json() override { return "{}"; }
  std::string stories = "[]";
};

class Explain : public testing::Test {
 protected:
  Explain() { ::unsetenv("TAPIO_SOCKET"); }

  int tapio(std::vector<const char*> words) {
    words.insert(words.begin(), "tapio");
    words.insert(words.end(), {"--store", store_.c_str()});
    if (words[1] != "query"sv) words.insert(words.end(), {"--socket", socket_.c_str()});
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = cli::main(static_cast<int>(words.size()), words.data(), agent_);
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return code;
  }
  void serve() {
    auto opened = serve::LocalSocket::open(socket_, told_);
    ASSERT_TRUE(opened) << opened.error().what;
    server_ = std::move(*opened);
  }

  void add(Record record, std::string_view process_id, std::string_view name) {
    record.id = {1, ++number_};
    record.context =
        &batch_.contexts.emplace_back(Context{.process_id = process_id, .process_name = name});
    batch_.records.push_back(record);
  }
  Origin at(std::chrono::nanoseconds time, std::uint32_t pid) const {
    return {.time = now_ - 60s + time, .pid = pid, .tid = pid};
  }
  // A service runs, is killed, and started again.
  void add_killing() {
    const auto args = batch_.arena.list(2);
    args[0] = "serve";
    args[1] = "it's";
    add(kForked(at(1s, kVictim), 1u), "b-1-1", "serve");
    add(kRan(at(2s, kVictim), "/usr/bin/serve"sv, "serve.service"sv, std::string_view(kContainer),
             args),
        "b-1-1", "serve");
    add(kSent(at(3s, kKiller), "SIGKILL"sv, kVictim, "serve"sv, "delivered"sv), "b-2-1",
        "ki\x1bll");
    Record exit = kEnded(at(4s, kVictim), 0, "SIGKILL"sv, 3s);
    exit.values[0] = {};
    add(exit, "b-1-1", "serve");
    add(kRan(at(5s, kAgain), "/usr/bin/serve"sv, "serve.service"sv, std::string_view(), args),
        "b-3-1", "serve");
    add_story("serve (pid 4200001) was killed", "serve (pid 4200001)", 4s);
  }
  void add_story(const std::string& title, const std::string& entity, std::chrono::seconds time) {
    Story story;
    story.time = now_ - 60s + time;
    story.title = title;
    story.entity = entity;
    story.cause = {"process", "kill (pid 4200002)", "it was sent SIGKILL"};
    story.evidence = {{1, 3}, {1, 999}};
    add(story_record(story, batch_.arena), {}, {});
    batch_.records.back().context = nullptr;
  }
  void keep() {
    store::StoreSink sink({.path = store_});
    const Status written = sink.write(batch_);
    ASSERT_TRUE(written) << written.error().what;
  }

  Directory directory_{testing::TempDir()};
  std::string store_ = directory_.file("tapio.db"), socket_ = directory_.file("s");
  std::chrono::nanoseconds now_ = monotonic_now() + Clocks::read().wall_ahead;
  Batch batch_;
  std::uint64_t number_ = 0;
  Told told_;
  FakeAgent agent_;
  std::unique_ptr<serve::LocalSocket> server_;
  std::string out_, err_;
};

TEST_F(Explain, tells_why_a_process_died_and_what_shows_it_without_an_agent) {
  add_killing();
  keep();
  EXPECT_EQ(tapio({"explain", "4200001"}), 0) << err_;
  EXPECT_THAT(err_, HasSubstr("no agent answers"));
  EXPECT_THAT(out_, StartsWith("serve (pid 4200001) was killed\n  when"));
  EXPECT_THAT(out_,
              HasSubstr("ki\\x1bll (pid 4200002) sent SIGKILL to serve (pid 4200001): delivered"));
  EXPECT_THAT(out_, HasSubstr("    00000001.999  is not in the store\n"));
  EXPECT_THAT(out_, HasSubstr("serve (pid 4200001) was started by pid 1\n"));
  EXPECT_THAT(out_, HasSubstr("runs /usr/bin/serve: serve 'it'\\''s'\n"));
  EXPECT_THAT(out_, HasSubstr("was ended by SIGKILL after 3 s"));
  EXPECT_THAT(out_, HasSubstr("started again after it\n    00000001.5 "));
}

TEST_F(Explain, finds_a_thing_by_name_path_unit_container_and_story) {
  add_killing();
  keep();
  for (const char* thing :
       {"serve", "/usr/bin/serve", "serve.service", "0123456789ab", kContainer, "00000001.6"}) {
    EXPECT_EQ(tapio({"explain", thing}), 0) << thing << err_;
    EXPECT_THAT(out_, HasSubstr("serve (pid 4200001) was killed\n  when")) << thing;
  }
  for (const char* thing : {"/usr/bin/other", "other.service", "0123456789ac", "00000001.7"})
    EXPECT_EQ(tapio({"explain", thing}), 1) << thing << out_;
}

TEST_F(Explain, takes_the_latest_of_several_processes_with_one_pid) {
  add(kRan(at(1s, kVictim), "/bin/a"sv, ""sv, ""sv, std::span<const std::string_view>()), "b-1-1",
      "a");
  add(kEnded(at(2s, kVictim), 3, std::string_view(), 1s), "b-1-1", "a");
  add(kRan(at(30s, kVictim), "/bin/b"sv, ""sv, ""sv, std::span<const std::string_view>()), "b-1-9",
      "b");
  add_story("a (pid 4200001) failed", "a (pid 4200001)", 2s);
  keep();
  EXPECT_EQ(tapio({"explain", "4200001"}), 0);
  EXPECT_THAT(out_, HasSubstr("fits 2 processes; the latest is shown"));
  EXPECT_THAT(out_, Not(HasSubstr("exited with status 3")));
  EXPECT_EQ(tapio({"explain", "4200001", "--all"}), 0);
  EXPECT_THAT(out_, HasSubstr("a (pid 4200001) exited with status 3 after 1 s"));
}

TEST_F(Explain, says_what_is_known_when_there_is_no_story) {
  add(kEnded(at(2s, kVictim), 0, std::string_view(), 1s), "b-1-1", "a");
  keep();
  EXPECT_EQ(tapio({"explain", "4200001"}), 0);
  EXPECT_THAT(out_, AllOf(StartsWith("No story is about it"), HasSubstr("exited with status 0")));
  EXPECT_EQ(tapio({"explain", "4200001", "--since", "1s"}), 1);
  const auto own = std::to_string(::getpid());
  EXPECT_EQ(tapio({"explain", own.c_str()}), 0);
  EXPECT_THAT(out_, HasSubstr("is alive, since 20"));
}

TEST_F(Explain, says_how_far_back_it_knows_and_what_was_meant_when_nothing_is_known) {
  add_killing();
  keep();
  serve();
  EXPECT_EQ(tapio({"explain", "sevre"}), 1);
  EXPECT_THAT(out_,
              AllOf(HasSubstr("Nothing is known of name sevre"), HasSubstr("Did you mean serve?"),
                    HasSubstr("The agent has been watching since 20"),
                    HasSubstr("The store reaches back to 20")));
}

TEST_F(Explain, promises_nothing_when_neither_agent_nor_store_answers) {
  const auto own = std::to_string(::getpid());
  EXPECT_EQ(tapio({"explain", own.c_str()}), 0) << err_;
  EXPECT_THAT(out_, AllOf(StartsWith("There is neither an agent nor a store to ask"),
                          HasSubstr("is alive, since"), Not(HasSubstr("Nothing that was kept"))));
  EXPECT_EQ(tapio({"explain", "4200001"}), 1);
  EXPECT_THAT(out_, HasSubstr("neither an agent nor a store"));
  serve();
  EXPECT_EQ(tapio({"explain", own.c_str()}), 0) << err_;
  EXPECT_THAT(out_, StartsWith("No story is about it: nothing was wrong"));
}

TEST_F(Explain, asks_the_agent_when_there_is_no_store) {
  serve();
  told_.stories = R"j([{"id":"00000002.9","time":"2026-11-21T02:03:04Z","title":"x died",)j"
                  R"j("entity":"x (pid 4200001)","impact":["y stopped too"],)j"
                  R"j("missing":["no\u001b cgroup"],"new":[{}]}])j";
  EXPECT_EQ(tapio({"explain", "4200001"}), 0) << err_;
  EXPECT_THAT(err_, HasSubstr("no history"));
  EXPECT_THAT(out_, AllOf(StartsWith("x died\n"), HasSubstr("y stopped too\n"),
                          HasSubstr("no\\x1b cgroup\n")));
}

TEST_F(Explain, tells_a_story_of_both_sides_once) {
  add_killing();
  keep();
  serve();
  told_.stories = R"j([{"id":"00000001.6","time":"2026-11-21T02:03:04Z","title":"the agent's",)j"
                  R"j("entity":"serve (pid 4200001)"}])j";
  EXPECT_EQ(tapio({"explain", "00000001.6", "--json"}), 0);
  const auto json = serve::parse_json(out_);
  ASSERT_TRUE(json) << out_;
  ASSERT_EQ((*json)["stories"].items().size(), 1u);
  EXPECT_EQ((*json)["stories"].items()[0]["title"].text(), "the agent's");
}

TEST_F(Explain, gives_everything_as_one_object) {
  add_killing();
  keep();
  EXPECT_EQ(tapio({"explain", "serve", "--json"}), 0);
  const auto json = serve::parse_json(out_);
  ASSERT_TRUE(json) << out_;
  EXPECT_EQ((*json)["thing"]["kind"].text(), "name");
  ASSERT_EQ((*json)["processes"].items().size(), 2u);
  EXPECT_EQ((*json)["processes"].items()[1]["records"].items().size(), 4u);
  EXPECT_TRUE((*json)["agent_since"].is_null());
}

TEST_F(Explain, knows_things_by_their_looks) {
  using Kind = Thing::Kind;
  const std::pair<const char*, Kind> things[] = {{"42", Kind::pid},
                                                 {"nginx", Kind::name},
                                                 {"0", Kind::name},
                                                 {"./x", Kind::executable},
                                                 {"a.service", Kind::unit},
                                                 {"0123456789ab", Kind::container},
                                                 {"0123456789a", Kind::name},
                                                 {"123456789012", Kind::container},
                                                 {"673e9a10.42", Kind::story},
                                                 {"673e9a10.", Kind::name},
                                                 {"4294967296", Kind::name}};
  for (const auto& [word, kind] : things) EXPECT_EQ(parse_thing(word)->kind, kind) << word;
  EXPECT_FALSE(parse_thing(""));
  EXPECT_FALSE(parse_thing(std::string(5000, 'x')));
}

TEST_F(Explain, stories_come_from_the_store_when_no_agent_answers) {
  add_killing();
  keep();
  EXPECT_EQ(tapio({"stories"}), 0);
  EXPECT_THAT(err_, HasSubstr("these are from the store"));
  EXPECT_THAT(out_, StartsWith("serve (pid 4200001) was killed\n"));
  EXPECT_EQ(tapio({"stories", "--since", "1s"}), 0);
  EXPECT_EQ(out_, "No stories yet.\n");
}

TEST_F(Explain, stories_of_agent_and_store_are_merged_without_doubles) {
  add_killing();
  add_story("older", "x", 1s);
  keep();
  serve();
  told_.stories = R"([{"id":"00000001.6","time":"2100-11-21T02:03:04Z","title":"the agent's"}])";
  EXPECT_EQ(tapio({"stories", "--since", "1h", "--json"}), 0) << err_;
  const auto json = serve::parse_json(out_);
  ASSERT_TRUE(json) << out_;
  ASSERT_EQ(json->items().size(), 2u);
  EXPECT_EQ(json->items()[0]["title"].text(), "older");
  EXPECT_EQ(json->items()[1]["title"].text(), "the agent's");
  EXPECT_EQ(tapio({"stories", "--json"}), 0);
  EXPECT_EQ(out_, told_.stories + "\n");
}

TEST_F(Explain, query_prints_tables_json_lines_and_csv) {
  add_killing();
  keep();
  const char* sql = R"(SELECT pid, comm, NULL AS "n,o", 1.5 FROM records LIMIT 3)";
  EXPECT_EQ(tapio({"query", sql}), 0) << err_;
  EXPECT_EQ(out_,
            "pid      comm      n,o  1.5\n4200001  serve          1.5\n"
            "4200001  serve          1.5\n4200002  ki\\x1bll       1.5\n");
  EXPECT_EQ(tapio({"query", sql, "-o", "csv"}), 0);
  EXPECT_THAT(out_, StartsWith("pid,comm,\"n,o\",1.5\r\n4200001,serve,,1.5\r\n"));
  EXPECT_EQ(tapio({"query", sql, "-o", "json"}), 0);
  EXPECT_EQ(serve::parse_json(out_)->items().size(), 3u) << out_;
  EXPECT_EQ(tapio({"query", sql, "-o", "lines", "--max", "1"}), 0);
  EXPECT_EQ(out_, "{\"pid\":4200001,\"comm\":\"serve\",\"n,o\":null,\"1.5\":1.5}\n");
  EXPECT_THAT(err_, HasSubstr("there are more than these 1 rows"));
}

TEST_F(Explain, query_finds_records_by_id) {
  add_killing();
  keep();
  EXPECT_EQ(tapio({"query", "--id", "00000001.3", "00000001.6"}), 0) << err_;
  EXPECT_EQ(std::ranges::count(out_, '\n'), 2);
  EXPECT_THAT(out_, HasSubstr("sent SIGKILL to serve"));
  EXPECT_EQ(tapio({"query", "--id", "00000001.3", "9.9", "-o", "json"}), 1);
  EXPECT_EQ(serve::parse_json(out_)->items().size(), 1u);
  EXPECT_THAT(err_, HasSubstr("not in the store: 9.9"));
  EXPECT_EQ(tapio({"query", "--tables"}), 0);
  EXPECT_THAT(out_, HasSubstr("\"process.fork\"\n  A process began.\n    \"process.parent_pid\""));
}

TEST_F(Explain, query_used_wrongly_says_how_it_is_right) {
  EXPECT_EQ(tapio({"query", "SELECT 1"}), 1);
  EXPECT_THAT(err_, HasSubstr("cannot read the store"));
  add_killing();
  keep();
  EXPECT_EQ(tapio({"query"}), 2);
  EXPECT_EQ(tapio({"query", "SELECT 1", "--tables"}), 2);
  EXPECT_EQ(tapio({"query", "SELECT 1", "-o", "xml"}), 2);
  EXPECT_EQ(tapio({"query", "DELETE FROM records"}), 2);
  EXPECT_THAT(err_, HasSubstr("only reading"));
  EXPECT_EQ(tapio({"query", "SELECT * FROM process.exec"}), 2);
  EXPECT_THAT(err_, HasSubstr("\"process.exec\""));
}

TEST(RecordWords, say_what_they_do_not_know_as_keys_and_values) {
  const auto json = serve::parse_json(
      R"({"name":"new.thing","process.pid":7,"a":-1,"b":[1,2],"c":"x\u001b","d":true,"e":null,"f":0.5})");
  EXPECT_EQ(what_happened(*json), "pid 7: a=-1 b=[2] c=x\\x1b d=true f=0.5");
  EXPECT_EQ(shortened("äöü", 2), "ä…");
  EXPECT_EQ(shortened("äöü", 3), "äöü");
}

}  // namespace
}  // namespace tapio::cli
