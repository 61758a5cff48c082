// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>

#include "base/settings.hpp"
#include "base/text.hpp"
#include "cli/complete.hpp"
#include "cli/help.hpp"
#include "facts/facts.hpp"
#include "serve/request.hpp"

namespace tapio::cli {

namespace {

using Text = std::optional<std::string>;
using Texts = std::vector<std::string>;

// As it stands on the command line.
struct Words {
  Text config, socket, duration, since, format, pid, uid, cgroup, comm, signal, max, store, timeout,
      into, max_bytes, by, sort;
  Texts set, where, targets, ids;
  std::string file, key, sql, thing, shell, page;
  bool json = false, follow = false, standalone = false, container = false, tables = false,
       all = false, once = false, force = false, no_sinks = false, quiet = false, stats = false;
};

// How the definition says what a value is: completions follow from these words.
constexpr const char* kFile = "FILE";
constexpr const char* kTime = "TIME";
constexpr const char* kNumber = "N";
constexpr const char* kText = "TEXT";

CLI::Option* several(CLI::App& app, const std::string& name, Texts& values) {
  return app.add_option(name, values)->allow_extra_args(false);
}

void add_run(CLI::App& app, Words& words) {
  app.add_option("--config", words.config)->type_name(kFile);
  app.add_option("--socket", words.socket)->type_name(kFile);
  app.add_option("--for", words.duration)->type_name(kTime);
  app.add_option("-o", words.format)->type_name("none|json");
  several(app, "--set", words.set)->type_name("SETTING=");
}

void add_record(CLI::App& app, Words& words) {
  add_run(app, words);
  app.add_option("FILE", words.file)->required();
  app.add_option("--max-bytes", words.max_bytes);
  app.add_flag("--force", words.force);
  app.add_flag("--no-sinks", words.no_sinks);
}

void add_replay(CLI::App& app, Words& words) {
  app.add_option("FILE", words.file)->required();
  app.add_flag("--quiet", words.quiet);
  app.add_flag("--stats", words.stats);
}

void add_trace(CLI::App& app, Words& words) {
  app.add_option("WHAT", words.targets)->required()->type_name("TARGET");
  app.add_option("--pid", words.pid)->type_name(kNumber);
  app.add_option("--uid", words.uid)->type_name(kNumber);
  app.add_option("--comm", words.comm)->type_name(kText);
  app.add_option("--cgroup", words.cgroup)->type_name(kNumber);
  app.add_flag("--container", words.container);
  app.add_option("--signal", words.signal)->type_name("SIGNALS");
  several(app, "--where", words.where)->type_name("FIELD=");
  app.add_option("-o", words.format)->type_name("table|wide|json");
  app.add_option("--for", words.duration)->type_name(kTime);
  app.add_option("--max", words.max)->type_name(kNumber);
  app.add_flag("--standalone", words.standalone);
  app.add_option("--config", words.config)->type_name(kFile);
  app.add_option("--socket", words.socket)->type_name(kFile);
  several(app, "--set", words.set)->type_name("SETTING=");
}

void add_stories(CLI::App& app, Words& words) {
  app.add_option("--since", words.since)->type_name(kTime);
  app.add_flag("--json", words.json);
  app.add_flag("--follow", words.follow);
  app.add_option("--socket", words.socket)->type_name(kFile);
  app.add_option("--store", words.store)->type_name(kFile);
}

void add_explain_thing(CLI::App& app, Words& words) {
  app.add_option("THING", words.thing)->required()->type_name("STORY");
  app.add_option("--since", words.since)->type_name(kTime);
  app.add_flag("--all", words.all);
  app.add_flag("--json", words.json);
  app.add_option("--socket", words.socket)->type_name(kFile);
  app.add_option("--store", words.store)->type_name(kFile);
}

void add_query(CLI::App& app, Words& words) {
  app.add_option("SQL", words.sql)->type_name(kText);
  app.add_option("--id", words.ids)->type_name(kText);
  app.add_flag("--tables", words.tables);
  app.add_option("-o", words.format)->type_name("table|json|lines|csv");
  app.add_option("--max", words.max)->type_name(kNumber);
  app.add_option("--timeout", words.timeout)->type_name(kTime);
  app.add_option("--store", words.store)->type_name(kFile);
}

void add_status(CLI::App& app, Words& words) {
  app.add_flag("--json", words.json);
  app.add_option("--socket", words.socket)->type_name(kFile);
}

void add_top(CLI::App& app, Words& words) {
  app.add_option("VIEW", words.thing)->type_name("VIEW");
  app.add_option("--by", words.by)->type_name("FIELD");
  app.add_option("--sort", words.sort)->type_name(kText);
  app.add_flag("--once", words.once);
  app.add_flag("--json", words.json);
  app.add_option("--for", words.duration)->type_name(kTime);
  app.add_option("--socket", words.socket)->type_name(kFile);
}

void add_doctor(CLI::App& app, Words& words) {
  add_status(app, words);
  app.add_option("--config", words.config)->type_name(kFile);
}

void add_version(CLI::App& app, Words& words) {
  app.add_flag("--json", words.json);
}

void add_check(CLI::App& app, Words& words) {
  app.add_option("FILE", words.file)->required()->type_name(kFile);
}

void add_explain(CLI::App& app, Words& words) {
  app.add_option("KEY", words.key)->type_name("SETTING");
  app.add_option("--config", words.config)->type_name(kFile);
}

void add_completion(CLI::App& app, Words& words) {
  app.add_option("SHELL", words.shell)->required()->type_name("bash|zsh|fish");
}

void add_man(CLI::App& app, Words& words) {
  app.add_option("COMMAND", words.page)->type_name("COMMAND");
  app.add_option("--into", words.into)->type_name(kFile);
}

void add_nothing(CLI::App&, Words&) {}

struct Known {
  std::string name;
  Command command;
  void (*add)(CLI::App&, Words&);
};

const std::vector<Known>& known_commands() {
  static const std::vector<Known> kKnown = {
      {"run", Command::run, add_run},
      {"record", Command::record, add_record},
      {"replay", Command::replay, add_replay},
      {"trace", Command::trace, add_trace},
      {"stories", Command::stories, add_stories},
      {"explain", Command::explain, add_explain_thing},
      {"query", Command::query, add_query},
      {"status", Command::status, add_status},
      {"top", Command::top, add_top},
      {"doctor", Command::doctor, add_doctor},
      {"reload", Command::reload, add_status},
      {"version", Command::version, add_version},
      {"config check", Command::config_check, add_check},
      {"config explain", Command::config_explain, add_explain},
      {"config default", Command::config_default, add_nothing},
      {"config reference", Command::config_reference, add_nothing},
      {"completion", Command::completion, add_completion},
      {"man", Command::man, add_man},
  };
  return kKnown;
}

const Known* find(std::string_view name) {
  const auto found = std::ranges::find(known_commands(), name, &Known::name);
  return found == known_commands().end() ? nullptr : &*found;
}

std::unexpected<Error> misused(std::string what, const std::string& command) {
  const std::string space = command.empty() ? "" : " ";
  return invalid(fmt::format("{}; see `tapio{}{} --help`", what, space, command));
}

std::unexpected<Error> unknown(std::string_view kind, const std::string& word, const Texts& known,
                               const std::string& command) {
  const auto near = nearest(word, known);
  const std::string hint = near.empty() ? "" : fmt::format(", did you mean {}?", near);
  return misused(fmt::format("unknown {} {}{}", kind, config::shown(word), hint), command);
}

// Takes the command's words off the front.
Result<const Known*> take_command(Texts& words) {
  std::string name = words.front();
  words.erase(words.begin());
  if (name == "config" && !words.empty() && !words.front().starts_with('-')) {
    name += " " + words.front();
    words.erase(words.begin());
  }
  if (const Known* known = find(name)) return known;
  if (name == "config")
    return misused("config wants check, explain, default or reference", "config");
  Texts names;
  for (const Known& known : known_commands()) names.push_back(known.name);
  names.insert(names.end(), {"config", "help"});
  if (name.starts_with('-')) return unknown("option", name, {"--help", "--version"}, "");
  return unknown("command", name, names, "");
}

void prepare(CLI::App& app, const Known& known, Words& words) {
  app.set_help_flag();  // the texts are ours
  app.allow_extras();
  known.add(app, words);
}

Texts option_names(const CLI::App& app) {
  Texts names;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) continue;
    for (const auto& name : option->get_snames()) names.push_back("-" + name);
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

ValueShape shape_of(const CLI::Option& option) {
  ValueShape shape{.repeats = option.get_items_expected_max() > 1 ||
                              option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll};
  for (const auto& name : option.get_snames()) shape.names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) shape.names.push_back("--" + name);
  if (option.get_type_size() > 0) shape.value = option.get_type_name();
  return shape;
}

// The rest is in reverse order, as CLI11 wants it.
Status read_words(const Known& known, Texts rest, Words& words) {
  CLI::App app;
  prepare(app, known, words);
  try {
    std::ranges::reverse(rest);
    app.parse(std::move(rest));
  } catch (const CLI::ParseError& error) {
    return misused(error.what(), known.name);
  }
  if (app.remaining().empty()) return {};
  const std::string extra = app.remaining().front();
  if (extra.starts_with('-')) return unknown("option", extra, option_names(app), known.name);
  return misused(fmt::format("{} is too much", config::shown(extra)), known.name);
}

template <typename T>
Status read_number(std::string_view option, const Text& text, std::optional<T>& out) {
  if (!text) return {};
  T number{};
  const char* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc() || stop != end || text->empty())
    return invalid(fmt::format("{} wants a number up to {}, not {}", option,
                               std::numeric_limits<T>::max(), config::shown(*text)));
  out = number;
  return {};
}

Status read_duration(std::string_view option, const Text& text,
                     std::optional<std::chrono::milliseconds>& out) {
  if (!text) return {};
  const auto duration = serve::parse_duration(*text);
  if (!duration)
    return invalid(
        fmt::format("{} wants a time like 20s or 10m, not {}", option, config::shown(*text)));
  out = *duration;
  return {};
}

Status read_bytes(std::string_view option, const Text& text, ByteSize& out) {
  if (!text || config::detail::parse(*text, out)) return {};
  return invalid(fmt::format("{} wants a size like 256MiB, not {}", option, config::shown(*text)));
}

Status read_signals(const Text& text, std::vector<std::int32_t>& out) {
  if (!text) return {};
  for (std::string_view rest = *text;; rest.remove_prefix(rest.find(',') + 1)) {
    const auto word = rest.substr(0, rest.find(','));
    const auto number = signal_number(word);
    if (number == 0)
      return invalid(
          fmt::format("--signal wants names like KILL,TERM, not {}", config::shown(word)));
    out.push_back(number);
    if (!rest.contains(',')) return {};
  }
}

Status read_set(const Texts& texts, std::vector<std::pair<std::string, std::string>>& out) {
  for (const std::string& text : texts) {
    const auto sign = text.find('=');
    if (sign == 0 || sign == std::string::npos)
      return invalid(fmt::format("--set wants KEY=VALUE, not {}", config::shown(text)));
    out.emplace_back(text.substr(0, sign), text.substr(sign + 1));
  }
  return {};
}

Status read_rows(const Text& text, Rows& out) {
  constexpr std::array<std::pair<std::string_view, Rows>, 4> kNames = {
      {{"table", Rows::table}, {"json", Rows::json}, {"lines", Rows::lines}, {"csv", Rows::csv}}};
  if (!text) return {};
  for (const auto& [name, rows] : kNames) {
    if (name != *text) continue;
    out = rows;
    return {};
  }
  return invalid(fmt::format("-o wants table, json, lines or csv, not {}", config::shown(*text)));
}

Status read_shell(Command command, const std::string& shell) {
  if (command != Command::completion || !completion_script(shell).empty()) return {};
  return invalid(
      fmt::format("there are scripts for bash, zsh and fish, not for {}", config::shown(shell)));
}

// One of the three questions, and values that go with it.
Status read_query(const Words& words, Arguments& all) {
  const int questions = int{!words.sql.empty()} + int{!words.ids.empty()} + int{words.tables};
  if (questions != 1) return invalid("query wants SQL, or --id, or --tables");
  std::optional<std::chrono::milliseconds> timeout;
  TRY(read_duration("--timeout", words.timeout, timeout));
  all.timeout = timeout.value_or(all.timeout);
  return read_rows(words.format, all.rows);
}

Status read_format(Command command, const Text& text, Format& out) {
  using Names = std::vector<std::pair<std::string_view, Format>>;
  const bool traces = command == Command::trace;
  const Names names =
      traces ? Names{{"table", Format::table}, {"wide", Format::wide}, {"json", Format::json}}
             : Names{{"none", Format::none}, {"json", Format::json}};
  out = names.front().second;
  if (!text) return {};
  for (const auto& [name, format] : names) {
    if (name != *text) continue;
    out = format;
    return {};
  }
  return invalid(fmt::format("-o wants {}, not {}", traces ? "table, wide or json" : "none or json",
                             config::shown(*text)));
}

Result<Arguments> understand(Command command, const Words& words) {
  Arguments all{.command = command,
                .config = words.config,
                .socket = words.socket,
                .json = words.json,
                .follow = words.follow,
                .standalone = words.standalone,
                .targets = words.targets,
                .file = words.file,
                .key = words.key,
                .store = words.store,
                .sql = words.sql,
                .ids = words.ids,
                .tables = words.tables,
                .thing = words.thing,
                .by = words.by,
                .sort = words.sort,
                .once = words.once,
                .all = words.all,
                .shell = words.shell,
                .page = words.page,
                .into = words.into};
  all.force = words.force;
  all.sinks = !words.no_sinks;
  all.quiet = words.quiet;
  all.stats = words.stats;
  all.filter.comm = words.comm;
  all.filter.container = words.container;
  TRY(read_shell(command, words.shell));
  TRY(read_set(words.set, all.set));
  TRY(read_duration("--for", words.duration, all.duration));
  TRY(read_duration("--since", words.since, all.since));
  TRY(read_bytes("--max-bytes", words.max_bytes, all.max_bytes));
  TRY(read_number("--max", words.max, all.max));
  TRY(read_number("--pid", words.pid, all.filter.pid));
  TRY(read_number("--uid", words.uid, all.filter.uid));
  TRY(read_number("--cgroup", words.cgroup, all.filter.cgroup));
  TRY(read_signals(words.signal, all.filter.signals));
  if (command == Command::query)
    TRY(read_query(words, all));
  else
    TRY(read_format(command, words.format, all.format));
  for (const std::string& text : words.where) all.where.push_back(TRY(parse_where(text)));
  return all;
}

bool asks_for_help(const Texts& words) {
  const auto end = std::ranges::find(words, "--");
  const auto is_help = [](const std::string& word) { return word == "--help" || word == "-h"; };
  return std::find_if(words.begin(), end, is_help) != end;
}

Result<Arguments> help(const Texts& words) {
  Arguments all;
  for (const std::string& word : words)
    if (!word.starts_with('-') && has_help(word)) {
      all.topic = word;
      break;
    }
  return all;
}

}  // namespace

Result<Arguments> parse(Texts words) {
  // A line that somebody is still writing: nothing in it is ours to understand.
  if (words.size() >= 2 && words[0] == "completion" && words[1] == "words")
    return Arguments{.command = Command::completion, .line = {words.begin() + 2, words.end()}};
  if (words.empty() || words.front() == "help" || asks_for_help(words)) return help(words);
  if (words.front() == "--version") words.front() = "version";
  const Known* known = TRY(take_command(words));
  Words read;
  TRY(read_words(*known, std::move(words), read));
  auto all = understand(known->command, read);
  if (!all) return misused(all.error().what, known->name);
  return all;
}

std::vector<CommandShape> command_shapes() {
  std::vector<CommandShape> shapes;
  for (const Known& known : known_commands()) {
    Words words;
    CLI::App app;
    prepare(app, known, words);
    CommandShape& shape = shapes.emplace_back(known.name);
    for (const CLI::Option* option : app.get_options()) shape.add(shape_of(*option));
  }
  return shapes;
}

}  // namespace tapio::cli
