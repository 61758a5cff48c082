// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "cli/help.hpp"
#include "cli/help_text.hpp"
#include "cli/manual.hpp"

namespace tapio::cli {
namespace {

using namespace std::literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

using Words = std::vector<std::string>;

std::string refusal(const Words& words) {
  const auto arguments = parse(words);
  if (arguments) return "accepted";
  EXPECT_EQ(arguments.error().fault, Fault::invalid);
  return arguments.error().what;
}

TEST(Arguments, of_run_are_understood) {
  const auto run = parse({"run", "--config", "a.yaml", "--socket=/s", "--for", "20s", "-o", "json",
                          "--set", "a.b=1", "--set", "c.d=x=y"});
  ASSERT_TRUE(run) << run.error().what;
  EXPECT_EQ(run->command, Command::run);
  EXPECT_EQ(run->config, "a.yaml");
  EXPECT_EQ(run->socket, "/s");
  EXPECT_EQ(run->duration, 20s);
  EXPECT_EQ(run->format, Format::json);
  EXPECT_THAT(run->set, ElementsAre(Pair("a.b", "1"), Pair("c.d", "x=y")));
  EXPECT_EQ(parse({"run"})->format, Format::none);
}

TEST(Arguments, of_record_and_replay_are_understood) {
  const auto record = parse({"record", "x.rec", "--max-bytes", "2MiB", "--force", "--no-sinks",
                             "--for", "5s", "-o", "json", "--set", "a.b=1"});
  ASSERT_TRUE(record) << record.error().what;
  EXPECT_EQ(record->command, Command::record);
  EXPECT_EQ(record->file, "x.rec");
  EXPECT_EQ(record->max_bytes, ByteSize{2 << 20});
  EXPECT_TRUE(record->force);
  EXPECT_FALSE(record->sinks);
  EXPECT_EQ(record->duration, 5s);
  EXPECT_EQ(parse({"record", "x"})->max_bytes, ByteSize{256 << 20});
  EXPECT_TRUE(parse({"record", "x"})->sinks);
  EXPECT_THAT(refusal({"record"}), HasSubstr("FILE is required"));
  EXPECT_THAT(refusal({"record", "x", "--max-bytes", "much"}), HasSubstr("a size like 256MiB"));

  const auto replay = parse({"replay", "x.rec", "--quiet", "--stats"});
  ASSERT_TRUE(replay) << replay.error().what;
  EXPECT_EQ(replay->command, Command::replay);
  EXPECT_TRUE(replay->quiet && replay->stats);
  EXPECT_THAT(refusal({"replay", "x", "y"}), HasSubstr("'y' is too much"));
}

TEST(Arguments, of_trace_are_understood) {
  const auto trace =
      parse({"trace",       "exec",        "signals",        "--pid",    "1",
             "--uid=0",     "--comm",      "nginx: worker",  "--cgroup", "18446744073709551615",
             "--container", "--signal",    "KILL,sigterm,9", "--where",  "a=1,2",
             "-o",          "wide",        "--for",          "1m",       "--max",
             "5",           "--standalone"});
  ASSERT_TRUE(trace) << trace.error().what;
  EXPECT_THAT(trace->targets, ElementsAre("exec", "signals"));
  EXPECT_EQ(trace->filter.pid, 1u);
  EXPECT_EQ(trace->filter.uid, 0u);
  EXPECT_EQ(trace->filter.comm, "nginx: worker");
  EXPECT_EQ(trace->filter.cgroup, 18446744073709551615u);
  EXPECT_TRUE(trace->filter.container);
  EXPECT_THAT(trace->filter.signals, ElementsAre(SIGKILL, SIGTERM, 9));
  EXPECT_THAT(trace->where, ElementsAre(Where{"a", {"1", "2"}}));
  EXPECT_EQ(trace->format, Format::wide);
  EXPECT_EQ(trace->duration, 1min);
  EXPECT_EQ(trace->max, 5u);
  EXPECT_TRUE(trace->standalone);
  EXPECT_EQ(parse({"trace", "exec"})->format, Format::table);
}

TEST(Arguments, of_the_other_commands_are_understood) {
  const auto stories = parse({"stories", "--since", "10m", "--json", "--follow"});
  ASSERT_TRUE(stories);
  EXPECT_EQ(stories->since, 10min);
  EXPECT_TRUE(stories->json && stories->follow);
  EXPECT_TRUE(parse({"status", "--json", "--socket", "x"})->json);
  EXPECT_EQ(parse({"doctor", "--json"})->command, Command::doctor);
  EXPECT_EQ(parse({"config", "check", "f.yaml"})->file, "f.yaml");
  EXPECT_EQ(parse({"config", "explain", "a.b"})->key, "a.b");
  EXPECT_EQ(parse({"config", "explain"})->key, "");
  EXPECT_EQ(parse({"config", "default"})->command, Command::config_default);
  EXPECT_EQ(parse({"version"})->command, Command::version);
  EXPECT_EQ(parse({"--version"})->command, Command::version);
}

TEST(Arguments, ask_for_help_anywhere) {
  EXPECT_EQ(parse({})->command, Command::help);
  EXPECT_EQ(parse({"--help"})->topic, "");
  EXPECT_EQ(parse({"-h"})->command, Command::help);
  EXPECT_EQ(parse({"trace", "exec", "--help"})->topic, "trace");
  EXPECT_EQ(parse({"help", "stories"})->topic, "stories");
  EXPECT_EQ(parse({"config", "check", "-h"})->topic, "config");
}

TEST(Arguments, that_are_wrong_get_a_sentence_and_a_hint) {
  EXPECT_EQ(refusal({"trase"}), "unknown command 'trase', did you mean trace?; see `tapio --help`");
  EXPECT_THAT(refusal({"xyzzy"}), HasSubstr("unknown command 'xyzzy';"));
  EXPECT_THAT(refusal({"run", "--fro", "1s"}),
              HasSubstr("unknown option '--fro', did you mean --for?; see `tapio run --help`"));
  EXPECT_THAT(refusal({"--verbose"}), HasSubstr("unknown option '--verbose'"));
  EXPECT_THAT(refusal({"run", "now"}), HasSubstr("'now' is too much"));
  EXPECT_THAT(refusal({"run", "--for"}), HasSubstr("--for"));
  EXPECT_THAT(refusal({"run", "--for", "1s", "--for", "2s"}), HasSubstr("--for"));
  EXPECT_THAT(refusal({"trace"}), HasSubstr("WHAT is required"));
  EXPECT_THAT(refusal({"config"}), HasSubstr("check, explain, default or reference"));
  EXPECT_THAT(refusal({"config", "chek"}), HasSubstr("did you mean config check?"));
  EXPECT_THAT(refusal({"config", "check"}), HasSubstr("FILE"));
}

TEST(Arguments, with_wrong_values_get_a_sentence) {
  EXPECT_THAT(refusal({"run", "--for", "soon"}), HasSubstr("--for wants a time like 20s"));
  EXPECT_THAT(refusal({"run", "-o", "table"}), HasSubstr("-o wants none or json, not 'table'"));
  EXPECT_THAT(refusal({"run", "--set", "rate"}), HasSubstr("--set wants KEY=VALUE"));
  EXPECT_THAT(refusal({"trace", "x", "-o", "xml"}), HasSubstr("table, wide or json"));
  EXPECT_THAT(refusal({"trace", "x", "--pid", "4294967296"}),
              HasSubstr("--pid wants a number up to 4294967295, not '4294967296'"));
  EXPECT_THAT(refusal({"trace", "x", "--pid=-1"}), HasSubstr("--pid wants a number"));
  EXPECT_THAT(refusal({"trace", "x", "--max", "1k"}), HasSubstr("--max wants a number"));
  EXPECT_THAT(refusal({"trace", "x", "--signal", "KILL,,TERM"}), HasSubstr("--signal wants names"));
  EXPECT_THAT(refusal({"trace", "x", "--where", "=1"}), HasSubstr("--where wants KEY=VALUE"));
  EXPECT_THAT(refusal({"stories", "--since", ""}), HasSubstr("--since wants a time"));
}

TEST(Arguments, never_bring_control_characters_into_the_sentence) {
  EXPECT_EQ(refusal({"\x1b[2J"}).find('\x1b'), std::string::npos);
  EXPECT_EQ(refusal({"run", "--\x1b[2J"}).find('\x1b'), std::string::npos);
}

TEST(Help, names_every_command_and_every_option) {
  for (const CommandShape& shape : command_shapes()) {
    const std::string topic = shape.name.substr(0, shape.name.find(' '));
    EXPECT_TRUE(has_help(topic)) << topic;
    EXPECT_NE(said_of(read_help(help("", {})), topic), "") << topic;
    for (const ValueShape& option : shape.options)
      for (const auto& name : option.names) EXPECT_THAT(help(topic, {}), HasSubstr(name)) << topic;
  }
}

TEST(Arguments, take_each_value_that_their_definition_lists) {
  for (const CommandShape& shape : command_shapes())
    for (const ValueShape& option : shape.options)
      for (std::string_view rest = option.value; rest.contains('|');) {
        const std::string word(rest.substr(0, rest.find('|')));
        Words line{shape.name, option.names.front(), word};
        for (const ValueShape& place : shape.places)
          if (place.value != "FILE") line.emplace_back("x");
        EXPECT_TRUE(parse(line)) << fmt::format("{}", fmt::join(line, " "));
        rest.remove_prefix(word.size() + 1);
      }
}

TEST(Help, lists_what_can_be_traced) {
  EXPECT_THAT(help("trace", Words{"dns", "exec"}), HasSubstr("\n  dns exec\n"));
  EXPECT_THAT(help("", {}), HasSubstr("Usage: tapio COMMAND"));
}

TEST(Help, fits_a_terminal) {
  auto commands = manual_pages();
  commands.emplace_back();
  for (const auto& command : commands) {
    const std::string text = help(command, Words(50, "something"));
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
      EXPECT_LE(text.find('\n', at) - at, 87u) << text.substr(at, 90);
  }
}

}  // namespace
}  // namespace tapio::cli
