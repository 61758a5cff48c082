// SPDX-License-Identifier: Apache-2.0
#include "base/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>

namespace tapio::config {
namespace {

using namespace std::literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

enum class Form : std::uint8_t { text, json };
std::span<const EnumName<Form>> enum_names(Form) {
  static constexpr EnumName<Form> kNames[] = {{"text", Form::text}, {"json", Form::json}};
  return kNames;
}

struct Process {
  std::uint32_t rate_per_second = 200;
  std::uint32_t burst = 300;
  ByteSize ring{256 << 10};
  std::chrono::milliseconds every = 10s;
  std::vector<std::uint32_t> uids;
  std::vector<std::string> comms{"a: b", "$x"};

  static constexpr auto settings() {
    return std::tuple{
        Setting{"rate_per_second", &Process::rate_per_second, "Records a second.", 1u, 9'999u}
            .on_reload(),
        Setting{"burst", &Process::burst, "Records at once."},
        Setting{"ring", &Process::ring, "Bytes of the ring.", ByteSize{4096}, ByteSize{64 << 20}},
        Setting{"every", &Process::every, "Time between looks."},
        Setting{"filter.uids", &Process::uids, "Only these users."},
        Setting{"filter.comms", &Process::comms, "Only these | <names>."}};
  }
  [[nodiscard]] Status check() const {
    if (burst < rate_per_second) return invalid("burst is below rate_per_second, raise it");
    return {};
  }
};

struct Json {
  bool on = true;
  double share = 0.5;
  std::string path = "-";
  Secret token;
  Form form = Form::json;

  static constexpr auto settings() {
    return std::tuple{Setting{"on", &Json::on, "Whether."},
                      Setting{"share", &Json::share, "Of all.", 0.0, 1.0},
                      Setting{"path", &Json::path, "Where to."},
                      Setting{"token", &Json::token, "Who we are."}.on_reload(),
                      Setting{"form", &Json::form, "How."}};
  }
};

struct Nothing {
  static constexpr auto settings() { return std::tuple{}; }
};

class Config : public testing::Test {
 protected:
  Config() {
    tree_.add("observers.process", section<Process>(), "What processes do.");
    tree_.add("sinks.json", section<Json>(), "Lines of JSON.");
    tree_.add("observers.dns", section<Nothing>(), "What names are asked for.");
  }

  // The sentences that refuse `yaml`, with their places.
  std::vector<std::string> refusals(std::string_view yaml) {
    std::vector<std::string> all;
    const auto environment = [this](const char* name) -> const char* {
      const auto found = environment_.find(name);
      return found == environment_.end() ? nullptr : found->second.c_str();
    };
    for (const Problem& problem : load(tree_, yaml, "t.yaml", environment))
      all.push_back(to_string(problem));
    return all;
  }
  // Of the only problem.
  std::string refusal(std::string_view yaml) {
    const auto all = refusals(yaml);
    return all.size() == 1 ? all.front() : fmt::format("{} problems", all.size());
  }
  // What a value for sinks.json.path becomes.
  std::string path(std::string_view written) {
    EXPECT_THAT(refusals(fmt::format("sinks:\n  json:\n    path: {}\n", written)), IsEmpty());
    return json().path;
  }
  const Process& process() { return tree_.at("observers.process").as<Process>(); }
  const Json& json() { return tree_.at("sinks.json").as<Json>(); }

  std::map<std::string, std::string> environment_;
  Tree tree_;
};

TEST_F(Config, sets_what_the_file_names_and_nothing_else) {
  EXPECT_THAT(refusals("observers:\n"
                       "  process:\n"
                       "    rate_per_second: 5\n"
                       "    ring: 1MiB   # comment\n"
                       "    filter: {uids: [0, 1000]}\n"
                       "sinks: {json: {on: false, form: 'text', share: 0.25}}\n"),
              IsEmpty());
  EXPECT_EQ(process().rate_per_second, 5u);
  EXPECT_EQ(process().ring.bytes, 1u << 20);
  EXPECT_EQ(process().every, 10s);
  EXPECT_THAT(process().uids, ElementsAre(0u, 1000u));
  EXPECT_FALSE(json().on);
  EXPECT_EQ(json().form, Form::text);
  EXPECT_EQ(json().share, 0.25);
}

TEST_F(Config, an_empty_file_is_fine) {
  for (const auto yaml : {"", "\n", "# only this\n", "---\n", "---\n...\n", "{}", "\xEF\xBB\xBF"})
    EXPECT_THAT(refusals(yaml), IsEmpty()) << yaml;
  EXPECT_EQ(process().rate_per_second, 200u);
}

TEST_F(Config, a_later_file_starts_from_the_defaults) {
  ASSERT_THAT(refusals("observers: {process: {rate_per_second: 5}}"), IsEmpty());
  ASSERT_THAT(refusals("observers: {process: {every: 1h}}"), IsEmpty());
  EXPECT_EQ(process().rate_per_second, 200u);
  EXPECT_EQ(process().every, 1h);
}

TEST_F(Config, knows_which_sections_the_file_has) {
  ASSERT_THAT(refusals("observers:\n  process:\n  dns: {}\n"), IsEmpty());
  EXPECT_TRUE(tree_.present("observers.dns"));
  EXPECT_FALSE(tree_.present("observers.process"));  // says nothing
  EXPECT_FALSE(tree_.present("sinks.json"));
  EXPECT_FALSE(tree_.present("nonsense"));
  ASSERT_THAT(refusals("observers: {process: {filter: {uids: 1}}}"), IsEmpty());
  EXPECT_TRUE(tree_.present("observers.process"));
  EXPECT_FALSE(tree_.present("observers.dns"));
  ASSERT_THAT(refusals("observers: {process: {filter: }}"), IsEmpty());
  EXPECT_FALSE(tree_.present("observers.process"));
  EXPECT_TRUE(tree_.contains("sinks.json"));
  EXPECT_FALSE(tree_.contains("sinks"));
  EXPECT_THROW((void)tree_.at("sinks"), std::out_of_range);
}

TEST_F(Config, an_unknown_setting_is_refused_with_its_place_and_the_nearest_name) {
  EXPECT_EQ(refusal("observers:\n  process:\n    rate_per_secnd: 5\n"),
            "t.yaml:3:5: unknown setting 'rate_per_secnd' in observers.process, did you mean "
            "'rate_per_second'?");
  EXPECT_EQ(refusal("observrs: 1"),
            "t.yaml:1:1: unknown setting 'observrs', did you mean 'observers'?");
  EXPECT_EQ(refusal("sinks: {jsn: {}}"),
            "t.yaml:1:9: unknown setting 'jsn' in sinks, did you mean 'json'?");
}

TEST_F(Config, an_unknown_setting_is_told_where_it_belongs) {
  EXPECT_EQ(refusal("rate_per_second: 5"),
            "t.yaml:1:1: unknown setting 'rate_per_second', it belongs in observers.process");
  EXPECT_EQ(refusal("observers: {process: {filter.uids: 5}}"),
            "t.yaml:1:23: unknown setting 'filter.uids' in observers.process, nest it: write "
            "'uids' indented below 'filter'");
  EXPECT_EQ(refusal("zzzzzz: 5"),
            "t.yaml:1:1: unknown setting 'zzzzzz', known are observers, sinks");
  EXPECT_EQ(refusal("observers: {dns: {zzzzzz: 5}}"),
            "t.yaml:1:19: unknown setting 'zzzzzz' in observers.dns, remove it: there are no "
            "settings here");
}

TEST_F(Config, tells_all_problems_at_once_by_line_and_changes_nothing) {
  const auto before = effective_yaml(tree_);
  EXPECT_THAT(refusals("sinks:\n"
                       "  json: {on: yes, share: 2, nme: 1}\n"
                       "observers:\n"
                       "  process: {every: 1h, burst: 12abc}\n"
                       "  dns: 5\n"),
              ElementsAre("t.yaml:2:14: sinks.json.on: 'yes' is not a bool, write true",
                          "t.yaml:2:26: sinks.json.share: 2 is too large, give 0..1",
                          HasSubstr("t.yaml:2:29: unknown setting 'nme'"),
                          "t.yaml:4:31: observers.process.burst: '12abc' is not a whole number, "
                          "write digits only, such as 200",
                          HasSubstr("t.yaml:5:8: observers.dns holds settings, write them as")));
  EXPECT_EQ(effective_yaml(tree_), before);
  EXPECT_FALSE(tree_.present("sinks.json"));
}

TEST_F(Config, what_precedes_an_error_of_syntax_is_checked_too) {
  EXPECT_THAT(refusals("observers:\n  process: {burst: 1x}\nsinks: [\n"),
              ElementsAre(HasSubstr("t.yaml:2:20: observers.process.burst: '1x'"),
                          AllOf(StartsWith("t.yaml:4:1: not YAML from here on"),
                                HasSubstr("check the indentation"))));
  EXPECT_THAT(refusal("sinks: {json: {path: \"\\q\"}}"), HasSubstr("unknown escape"));
}

TEST_F(Config, a_tab_that_indents_is_refused) {
  EXPECT_EQ(refusal("sinks:\n  \tjson: {}\n"), "t.yaml:2:3: a tab indents this line, write spaces");
  EXPECT_THAT(refusals("sinks:\t{}\t# here it may stand\n"), IsEmpty());
}

TEST_F(Config, settings_that_contradict_each_other_are_refused_at_their_section) {
  EXPECT_EQ(refusal("observers:\n  process:\n    burst: 7\n"),
            "t.yaml:2:3: observers.process: burst is below rate_per_second, raise it");
  EXPECT_EQ(process().burst, 300u);
}

TEST_F(Config, a_name_that_stands_twice_is_refused) {
  EXPECT_EQ(refusal("sinks:\n  json:\n    on: true\n    form: text\n    on: false\n"),
            "t.yaml:5:5: 'on' stands here for the second time, first in line 3, remove one");
  EXPECT_THAT(refusal("sinks: {}\nsinks: {}\n"), StartsWith("t.yaml:2:1: 'sinks' stands here"));
}

TEST_F(Config, the_wrong_kind_of_value_is_refused) {
  EXPECT_EQ(refusal("sinks: {json: {path: {a: b}}}"),
            "t.yaml:1:22: sinks.json.path: wants one value, not a mapping");
  EXPECT_EQ(refusal("sinks: {json: {path: [a]}}"),
            "t.yaml:1:22: sinks.json.path: wants one value, not a list");
  EXPECT_EQ(refusal("sinks: {json: {path: }}"),
            "t.yaml:1:22: sinks.json.path: has no value, write one or remove the line");
  EXPECT_EQ(refusal("observers: {process: {filter: {uids: {a: b}}}}"),
            "t.yaml:1:38: observers.process.filter.uids: wants a list, not a mapping");
  EXPECT_EQ(refusal("observers: {process: {filter: {uids: [1, [2]]}}}"),
            "t.yaml:1:42: observers.process.filter.uids: wants single values in its list, quote "
            "what holds brackets");
  EXPECT_THAT(refusal("observers: {process: {filter: 5}}"), HasSubstr("filter holds settings"));
  EXPECT_THAT(refusal("observers: [process]"), HasSubstr("observers holds settings"));
  EXPECT_THAT(refusal("just text"), HasSubstr("the file holds settings"));
  EXPECT_THAT(refusal("- a\n- b\n"), HasSubstr("the file holds settings"));
  EXPECT_THAT(refusal("? [a]\n: b\n"), HasSubstr("a key must be the name of a setting"));
}

TEST_F(Config, a_list_takes_a_single_value_too) {
  ASSERT_THAT(refusals("observers: {process: {filter: {uids: 5, comms: []}}}"), IsEmpty());
  EXPECT_THAT(process().uids, ElementsAre(5u));
  EXPECT_THAT(process().comms, IsEmpty());
}

TEST_F(Config, text_that_looks_like_something_else_is_text) {
  EXPECT_EQ(path("12"), "12");
  EXPECT_EQ(path("true"), "true");
  EXPECT_EQ(path("\"~\""), "~");
  EXPECT_EQ(path("''"), "");
  EXPECT_EQ(path(">-\n      a\n      b"), "a b");
}

TEST_F(Config, takes_values_from_the_environment) {
  environment_ = {{"DIR", "/var"}, {"EMPTY", ""}, {"TRICK", "${DIR} $$ {a: b} # \"x"}};
  EXPECT_EQ(path("${DIR}/x"), "/var/x");
  EXPECT_EQ(path("'${DIR}${DIR}'"), "/var/var");
  EXPECT_EQ(path("${UNSET:-/run}"), "/run");
  EXPECT_EQ(path("\"${UNSET:-}\""), "");
  EXPECT_EQ(path("${DIR:-/run}"), "/var");
  EXPECT_EQ(path("${EMPTY:-/run}"), "/run");  // as in a shell
  EXPECT_EQ(path("a${EMPTY}b"), "ab");
  EXPECT_EQ(path("${UNSET:-a:-b}"), "a:-b");
  EXPECT_EQ(path("$${DIR} $$$$ $5 $"), "${DIR} $$ $5 $");
  EXPECT_EQ(path("${TRICK}"), environment_["TRICK"]);  // is never read again
}

TEST_F(Config, the_environment_reaches_lists_and_numbers) {
  environment_ = {{"UID", "7"}, {"BAD", "7x"}};
  ASSERT_THAT(refusals("observers: {process: {burst: \"${UNSET:-999}\", "
                       "filter: {uids: [1, \"${UID}\"]}}}"),
              IsEmpty());
  EXPECT_EQ(process().burst, 999u);
  EXPECT_THAT(process().uids, ElementsAre(1u, 7u));
  EXPECT_THAT(refusal("observers: {process: {burst: \"${BAD}\"}}"), HasSubstr("'7x' is not a"));
}

TEST_F(Config, a_variable_that_is_not_set_is_named) {
  EXPECT_EQ(refusal("sinks:\n  json:\n    path: a${NOPE}\n"),
            "t.yaml:3:11: sinks.json.path: environment variable NOPE is not set, set it or write "
            "${NOPE:-default}");
  EXPECT_THAT(refusals("observers: {process: {filter: {comms: [\"${A}\", b, \"${C}\"]}}}"),
              ElementsAre(HasSubstr("1:40: observers.process.filter.comms: environment variable A"),
                          HasSubstr("variable C")));
}

TEST_F(Config, a_malformed_variable_is_refused) {
  for (const auto bad : {"${", "${}", "${A", "${1A}", "${a b}", "${A-x}", "${A:x}", "${:-x}"})
    EXPECT_THAT(refusal(fmt::format("sinks: {{json: {{path: '{}'}}}}", bad)),
                AllOf(HasSubstr("sinks.json.path: "), HasSubstr("$$ for a literal $")))
        << bad;
  EXPECT_THAT(refusal("sinks: {json: {path: '${A:-${B}}'}}"), HasSubstr("inside another"));
}

TEST_F(Config, a_secret_is_never_printed) {
  environment_ = {{"TOKEN", "hunter2"}, {"NUL", "hunter2"}};
  ASSERT_THAT(refusals("sinks: {json: {token: \"${TOKEN}\"}}"), IsEmpty());
  EXPECT_EQ(json().token.reveal(), "hunter2");
  EXPECT_THAT(effective_yaml(tree_), AllOf(HasSubstr("token: \"***\""), Not(HasSubstr("hunter2"))));
  EXPECT_THAT(explain(tree_, "sinks.json").value(), Not(HasSubstr("hunter2")));
  EXPECT_THAT(explain(tree_, "sinks.json.token").value(),
              AllOf(HasSubstr("***"), Not(HasSubstr("hunter2"))));
}

TEST_F(Config, a_secret_that_is_refused_is_not_printed_either) {
  environment_ = {{"TOKEN", "hunter2"}};
  for (const auto token : {"\"${TOKEN}\\0\"", "[\"${TOKEN}\"]", "['hunter2', 'hunter2']",
                           "'hunter2${'", "'${hunter2!}'", "{hunter2: hunter2}", "!x hunter2",
                           "\"${TOKEN}${NOPE}\"", "\"hunter2\\q\"", "'${A:-hunter2${B}}'"})
    EXPECT_THAT(refusal(fmt::format("sinks: {{json: {{token: {}}}}}", token)),
                AllOf(StartsWith("t.yaml:1:"), Not(HasSubstr("hunter"))))
        << token;
  EXPECT_EQ(refusal("sinks: {json: {token:hunter2}}"),
            "t.yaml:1:16: unknown setting 'token:' in sinks.json, write a space after the colon");
}

TEST_F(Config, tags_anchors_aliases_and_merge_keys_are_refused) {
  EXPECT_EQ(refusal("sinks: {json: {path: !!str a}}"),
            "t.yaml:1:22: tags (!name) are not supported, remove it");
  EXPECT_EQ(refusal("sinks: {json: {path: &x a}}"),
            "t.yaml:1:22: anchors (&name) are not supported, remove it");
  EXPECT_THAT(refusals("observers: &x {dns: *x}\n"),  // holds itself
              ElementsAre(HasSubstr("1:12: anchors"), HasSubstr("1:21: aliases")));
  EXPECT_THAT(refusals("sinks:\n  json: &x {}\n  <<: *x\n"),
              ElementsAre(HasSubstr("2:9: anchors"), HasSubstr("3:3: merge keys"),
                          HasSubstr("3:7: aliases")));
  EXPECT_THAT(refusal("sinks: {json: {path: *nowhere}}"), HasSubstr("not YAML from here on"));
}

TEST_F(Config, several_documents_are_refused) {
  EXPECT_THAT(refusal("sinks: {}\n---\nsinks: {}\n"), HasSubstr("a second document starts here"));
  EXPECT_THAT(refusal("---\n---\n"), HasSubstr("a second document starts here"));
}

TEST_F(Config, columns_count_characters) {
  EXPECT_THAT(refusal("sinks: {json: {path: 'äöü€', nope: 1}}"), StartsWith("t.yaml:1:30: "));
  EXPECT_THAT(refusal("\xEF\xBB\xBFnope: 1\r\n"), StartsWith("t.yaml:1:1: "));
  EXPECT_THAT(refusal("sinks: {}\r\nnope: 1\r\n"), StartsWith("t.yaml:2:1: "));
}

TEST_F(Config, bytes_that_are_not_text_are_refused) {
  EXPECT_THAT(refusal("sinks: {}\n# \xFF\n"), StartsWith("t.yaml:2:3: this byte is not UTF-8"));
  EXPECT_THAT(refusal("\xFF\xFEs\0"sv), HasSubstr("not UTF-8"));  // UTF-16
  EXPECT_THAT(refusal("\0s\0i"sv), StartsWith("t.yaml:1:1: a control character"));
  EXPECT_THAT(refusal("a: \x1b[2J"), StartsWith("t.yaml:1:4: a control character"));
  EXPECT_THAT(refusal("a:\rb"), StartsWith("t.yaml:1:3: a control character"));
}

TEST_F(Config, a_problem_is_one_printable_line) {
  EXPECT_EQ(refusal("\"a\\nb\\e[2J\": 1"),
            "t.yaml:1:1: unknown setting 'a\\nb\\x1b[2J', known are observers, sinks");
  EXPECT_EQ(to_string({.file = "a\nb", .line = 0, .column = 0, .what = "x"}), "a\\nb: x");
}

TEST_F(Config, a_file_of_the_largest_size_is_read_and_a_larger_one_is_not) {
  std::string yaml = "sinks: {}\n#";
  yaml.resize(kMaxFileBytes, 'x');
  EXPECT_THAT(refusals(yaml), IsEmpty());
  EXPECT_EQ(refusal(yaml + "x"), "t.yaml: the file is larger than 1048576 bytes, make it smaller");
}

TEST_F(Config, nesting_is_bounded) {
  const auto nested = [](std::size_t lists) {
    return "observers: {process: {filter: {uids: " + std::string(lists, '[') +
           std::string(lists, ']') + "}}}";
  };
  EXPECT_THAT(refusal(nested(kMaxDepth - 4)), HasSubstr("wants single values"));
  EXPECT_THAT(refusals(nested(kMaxDepth - 3)),
              testing::Contains(HasSubstr("nested deeper than 16 levels, make it flatter")));
}

TEST_F(Config, bombs_of_nesting_are_refused) {
  for (const auto piece : {"[", "{", "[{", "- ", "? ", "-\n", "[\n", "a: [", "{a: "}) {
    std::string bomb;
    while (bomb.size() < 100'000) bomb += piece;
    EXPECT_THAT(refusals(bomb), Not(IsEmpty())) << piece;
  }
  std::string steps;
  for (std::size_t i = 0; i < 1'000; ++i) steps.append(i, ' ').append("observers:\n");
  EXPECT_THAT(refusals(steps), testing::Contains(HasSubstr("nested deeper")));
}

TEST_F(Config, the_number_of_values_is_bounded) {
  const auto list = [](std::size_t items) {
    std::string yaml = "observers: {process: {filter: {uids: [";
    for (std::size_t i = 0; i < items; ++i) yaml += "1,";
    return yaml + "]}}}";
  };
  EXPECT_THAT(refusals(list(kMaxNodes - 9)), IsEmpty());  // 4 mappings, 4 keys, the list
  EXPECT_THAT(refusal(list(kMaxNodes - 8)), HasSubstr("more than 10000 keys and values"));
}

TEST_F(Config, the_number_of_problems_told_is_bounded) {
  std::string yaml;
  for (std::size_t i = 0; i < kMaxProblems + 7; ++i) yaml += fmt::format("nope{}: 1\n", i);
  const auto all = refusals(yaml);
  ASSERT_THAT(all, SizeIs(kMaxProblems + 1));
  EXPECT_EQ(all.back(), "t.yaml: 7 more problems, mend these first");
}

TEST_F(Config, the_default_file_loads_and_changes_nothing) {
  const auto before = effective_yaml(tree_);
  const auto yaml = default_yaml(tree_);
  EXPECT_THAT(refusals(yaml), IsEmpty());
  EXPECT_EQ(effective_yaml(tree_), before);
  EXPECT_FALSE(tree_.present("observers.process"));
  EXPECT_THAT(yaml, HasSubstr("  # What processes do.\n"
                              "  process:\n"
                              "    # Records a second.\n"
                              "    # (unsigned, 1..9999, reload)\n"
                              "    #rate_per_second: 200\n"));
}

TEST_F(Config, the_default_file_without_its_comment_signs_gives_the_defaults) {
  const auto before = effective_yaml(tree_);
  const auto yaml = std::regex_replace(default_yaml(tree_), std::regex("#(\\w+: )"), "$1");
  EXPECT_THAT(yaml, HasSubstr("\n    rate_per_second: 200\n"));
  EXPECT_THAT(refusals(yaml), IsEmpty());
  EXPECT_TRUE(tree_.present("observers.process"));
  EXPECT_EQ(effective_yaml(tree_), before);
}

TEST_F(Config, what_is_in_force_reads_back_the_same) {
  ASSERT_THAT(refusals("observers: {process: {burst: 999, filter: {uids: [1, 2], "
                       "comms: ['$${X}', \"a\\nb\\e\\\"\\u009b\", 'é', '# x', '- y']}}}\n"),
              IsEmpty());
  const auto yaml = effective_yaml(tree_);
  EXPECT_THAT(process().comms, ElementsAre("${X}", "a\nb\x1b\"\xC2\x9B", "é", "# x", "- y"));
  EXPECT_THAT(refusals(yaml), IsEmpty());
  EXPECT_THAT(process().comms, ElementsAre("${X}", "a\nb\x1b\"\xC2\x9B", "é", "# x", "- y"));
  EXPECT_EQ(effective_yaml(tree_), yaml);
  EXPECT_THAT(yaml, AllOf(HasSubstr("  process:\n    rate_per_second: 200\n    burst: 999\n"),
                          HasSubstr("  dns: {}\n")));
}

TEST_F(Config, sections_of_one_parent_stand_together) {
  const auto yaml = effective_yaml(tree_);
  EXPECT_EQ(yaml.find("observers:"), yaml.rfind("observers:"));
}

TEST_F(Config, explains_one_setting) {
  ASSERT_THAT(refusals("observers: {process: {ring: 1MiB}}"), IsEmpty());
  EXPECT_EQ(explain(tree_, "observers.process.ring").value(),
            "observers.process.ring\n"
            "  Bytes of the ring.\n"
            "  type     size\n"
            "  range    4KiB..64MiB\n"
            "  default  256KiB\n"
            "  current  1MiB\n"
            "  change   needs a restart\n");
  EXPECT_THAT(explain(tree_, "observers.process.rate_per_second").value(),
              HasSubstr("  change   by `tapio reload` or SIGHUP\n"));
}

TEST_F(Config, explains_a_section_and_a_mapping_in_it) {
  ASSERT_THAT(refusals("observers: {process: {ring: 1MiB}}"), IsEmpty());
  EXPECT_THAT(explain(tree_, "observers.process").value(),
              AllOf(StartsWith("observers.process\n  What processes do.\n"),
                    HasSubstr("  ring: 1MiB  (size, 4KiB..64MiB; default 256KiB)\n"),
                    HasSubstr("  filter.uids: []  (list of unsigned)\n")));
  EXPECT_THAT(explain(tree_, "observers.process.filter").value(),
              AllOf(HasSubstr("  uids: []"), Not(HasSubstr("ring"))));
}

TEST_F(Config, explains_what_there_is) {
  EXPECT_EQ(explain(tree_, "").value(),
            "  observers.process  What processes do.\n"
            "  sinks.json         Lines of JSON.\n"
            "  observers.dns      What names are asked for.\n");
  EXPECT_THAT(explain(tree_, "observers").value(),
              AllOf(HasSubstr("observers.dns"), Not(HasSubstr("sinks"))));
}

TEST_F(Config, does_not_explain_what_it_does_not_know) {
  EXPECT_EQ(explain(tree_, "observers.proces.ring").error().what,
            "unknown setting 'observers.proces.ring', did you mean 'observers.process.ring'?");
  for (const auto key : {"nope", ".", "observers.", ".observers", "observers..process"})
    EXPECT_FALSE(explain(tree_, key)) << key;
}

TEST_F(Config, the_settings_page_has_a_table_for_each_section) {
  const auto page = settings_markdown(tree_);
  EXPECT_THAT(page,
              AllOf(StartsWith("## observers.process\n\nWhat processes do.\n\n| setting |"),
                    HasSubstr("\n| `rate_per_second` | unsigned | 1..9999 | `200` | reload | "
                              "Records a second. |\n"),
                    HasSubstr("\n| `filter.comms` | list of text |  | `[\"a: b\", \"$$x\"]` | "
                              "restart | Only these \\| &lt;names>. |\n"),
                    HasSubstr("\n\n## observers.dns\n\nWhat names are asked for.\n")));
}

TEST_F(Config, a_running_tree_takes_over_what_a_reload_may_change_and_names_the_rest) {
  Tree running = tree_.clone();
  ASSERT_THAT(refusals("observers: {process: {rate_per_second: 100, ring: 1MiB}}"), IsEmpty());
  const auto changes = take_over(running, tree_);
  ASSERT_TRUE(changes);
  ASSERT_THAT(*changes, SizeIs(2));
  EXPECT_EQ((*changes)[0].setting, "observers.process.rate_per_second");
  EXPECT_EQ((*changes)[0].before, "200");
  EXPECT_EQ((*changes)[0].after, "100");
  EXPECT_TRUE((*changes)[0].reloads);
  EXPECT_EQ((*changes)[1].setting, "observers.process.ring");
  EXPECT_FALSE((*changes)[1].reloads);
  EXPECT_EQ(running.at("observers.process").as<Process>().rate_per_second, 100u);
  EXPECT_EQ(running.at("observers.process").as<Process>().ring.bytes, 256u << 10);
}

TEST_F(Config, what_waits_for_a_restart_is_named_again_until_it_is_taken_back) {
  Tree running = tree_.clone();
  ASSERT_THAT(refusals("observers: {process: {ring: 1MiB}}"), IsEmpty());
  EXPECT_THAT(take_over(running, tree_).value(), SizeIs(1));
  EXPECT_THAT(take_over(running, tree_).value(), SizeIs(1));
  ASSERT_THAT(refusals("observers: {process: {ring: 256KiB}}"), IsEmpty());
  EXPECT_THAT(take_over(running, tree_).value(), IsEmpty());
}

TEST_F(Config, a_secret_that_changed_is_a_change_and_is_not_shown) {
  Tree running = tree_.clone();
  ASSERT_THAT(refusals("sinks: {json: {token: hunter2}}"), IsEmpty());
  const auto first = take_over(running, tree_).value();
  ASSERT_THAT(refusals("sinks: {json: {token: hunter3}}"), IsEmpty());
  const auto second = take_over(running, tree_).value();
  ASSERT_THAT(first, SizeIs(1));
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_EQ(second[0].before, R"("***")");
  EXPECT_EQ(second[0].after, R"("***")");
  EXPECT_EQ(running.at("sinks.json").as<Json>().token.reveal(), "hunter3");
}

TEST_F(Config, nothing_is_taken_over_when_the_mixture_contradicts_itself) {
  Tree running = tree_.clone();
  ASSERT_THAT(refusals("observers: {process: {rate_per_second: 500, burst: 600}}\n"
                       "sinks: {json: {token: hunter2}}"),
              IsEmpty());
  const auto changes = take_over(running, tree_);
  ASSERT_FALSE(changes);
  EXPECT_THAT(changes.error().what, AllOf(HasSubstr("observers.process: burst is below"),
                                          HasSubstr("as long as what needs a restart")));
  EXPECT_EQ(running.at("observers.process").as<Process>().rate_per_second, 200u);
  EXPECT_TRUE(running.at("sinks.json").as<Json>().token.empty());
}

TEST_F(Config, long_help_is_wrapped) {
  struct Wordy {
    bool on = false;
    static constexpr auto settings() {
      return std::tuple{Setting{
          "on", &Wordy::on,
          "Many words that go on and on, well beyond what fits a line of a hundred columns, and "
          "then some more of them, so that the line must be broken somewhere."}};
    }
  };
  Tree tree;
  tree.add("wordy", section<Wordy>(), "Words.");
  for (const auto& text : {default_yaml(tree), explain(tree, "wordy.on").value()}) {
    std::size_t widest = 0;
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
      widest = std::max(widest, text.find('\n', at) - at);
    EXPECT_LE(widest, 100u);
    EXPECT_GT(widest, 80u);
  }
}

}  // namespace
}  // namespace tapio::config
