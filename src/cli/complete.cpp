// SPDX-License-Identifier: Apache-2.0
#include "cli/complete.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/help_text.hpp"
#include "cli/load.hpp"
#include "cli/pages.hpp"
#include "cli/targets.hpp"
#include "facts/facts.hpp"
#include "serve/client.hpp"

namespace tapio::cli {

namespace {

using Words = std::span<const std::string>;
using Candidates = std::vector<Candidate>;

constexpr std::size_t kMaxStories = 20;
constexpr std::int32_t kLastPlainSignal = 31;  // behind it are those of real time

HelpText help_of(std::string_view command) {
  return read_help(help(command.substr(0, command.find(' ')), {}));
}

// The next words of the names of commands that begin with `before`.
Candidates commands(Words before) {
  const HelpText all = help_of("");
  Candidates found;
  for (const CommandShape& shape : command_shapes()) {
    std::string_view rest = shape.name;
    bool fits = true;
    for (const std::string& word : before) {
      fits = fits && rest.starts_with(word + " ");
      if (fits) rest.remove_prefix(word.size() + 1);
    }
    Candidate next{.word = std::string(rest.substr(0, rest.find(' '))), .help = ""};
    if (before.empty()) next.help = said_of(all, next.word);
    if (fits && std::ranges::find(found, next.word, &Candidate::word) == found.end())
      found.push_back(std::move(next));
  }
  return found;
}

Candidates choices(std::string_view words) {
  Candidates found;
  while (!words.empty()) {
    const auto end = std::min(words.find('|'), words.size());
    found.push_back({std::string(words.substr(0, end)), ""});
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return found;
}

Candidates settings(const config::Tree& tree, std::string_view behind) {
  Candidates found;
  for (const auto& entry : tree.entries()) {
    if (behind.empty()) found.push_back({entry.path, entry.summary});
    for (const auto& setting : entry.section->settings())
      found.push_back(
          {fmt::format("{}.{}{}", entry.path, setting.name, behind), std::string(setting.help)});
  }
  return found;
}

Candidates signals() {
  Candidates found;
  for (std::int32_t signal = 1; signal <= kLastPlainSignal; ++signal)
    found.push_back({signal_name(signal).substr(3), ""});
  return found;
}

Candidates fields(std::span<const Schema* const> schemas, std::string_view behind) {
  Candidates found;
  for (const Schema* schema : schemas)
    for (const Field& field : schema->fields) {
      Candidate next{fmt::format("{}{}", field.name, behind), std::string(field.help)};
      if (std::ranges::find(found, next.word, &Candidate::word) == found.end())
        found.push_back(std::move(next));
    }
  return found;
}

// Fields of the records asked for, or of all.
Candidates fields_to_compare(const std::vector<std::string>& asked,
                             std::span<const Descriptor* const> observers) {
  const auto schemas = resolve(asked.empty() ? targets(observers) : asked, observers);
  return schemas ? fields(*schemas, "=") : Candidates();
}

// By what the lines of a view may be: fields of its records, and what all records have.
Candidates fields_to_group_by(const std::vector<std::string>& asked,
                              std::span<const Descriptor* const> observers) {
  std::vector<const Schema*> schemas;
  for (const Descriptor* observer : observers) {
    for (const View* view : observer->views)
      if (!asked.empty() && view->name == asked[0]) schemas.push_back(view->schema);
    for (const Schema* schema : observer->schemas)
      if (!asked.empty() && schema->name == asked[0]) schemas.push_back(schema);
  }
  Candidates found = fields(schemas, "");
  if (schemas.empty()) return found;
  for (const std::string_view key : kKeysOfWho)
    if (std::ranges::find(found, key, &Candidate::word) == found.end())
      found.push_back({std::string(key), ""});
  return found;
}

Candidates records(std::span<const Descriptor* const> observers) {
  Candidates found;
  for (const std::string& word : targets(observers)) {
    const auto observer = std::ranges::find(observers, word, &Descriptor::name);
    found.push_back({word, observer == observers.end() ? "" : std::string((*observer)->summary)});
  }
  return found;
}

// What may be watched: what observers declare, and every record.
Candidates views(std::span<const Descriptor* const> observers) {
  Candidates found;
  for (const std::string& name : page_names(observers)) found.push_back({name, ""});
  for (const Descriptor* observer : observers) {
    for (const View* view : observer->views)
      std::ranges::find(found, view->name, &Candidate::word)->help = view->help;
    for (const Schema* schema : observer->schemas)
      found.push_back({std::string(schema->name), std::string(schema->help)});
  }
  return found;
}

// A line that is being written, taken apart.
class Line {
 public:
  Line(Words line, const Vocabulary& vocabulary)
      : vocabulary_(vocabulary), shapes_(command_shapes()) {
    current_ = line.empty() ? "" : line.back();
    before_ = line.empty() ? line : line.first(line.size() - 1);
  }

  Completion complete() {
    if (!find_command()) return fitting({.candidates = commands(before_)}, current_);
    read_words();
    if (waiting_) return fitting(values(waiting_->value), current_);
    const auto sign = current_.find('=');
    if (current_.starts_with("--") && sign != std::string::npos) return values_of_option(sign);
    if (current_.starts_with('-')) return fitting(options(), current_);
    Completion found = fitting(values_by_place(), current_);
    if (current_.empty() && found.candidates.empty() && !found.files) return options();
    return found;
  }

 private:
  // The longest name of a command that the words begin with.
  bool find_command() {
    for (std::size_t count = 1; count <= before_.size(); ++count) {
      const std::string name = fmt::format("{}", fmt::join(before_.first(count), " "));
      const auto found = std::ranges::find(shapes_, name, &CommandShape::name);
      if (found == shapes_.end()) continue;
      command_ = &*found;
      before_ = before_.subspan(count);
      return true;
    }
    return false;
  }

  void read_words() {
    for (const std::string& word : before_) {
      const bool is_value = waiting_ != nullptr;
      waiting_ = nullptr;
      if (is_value) continue;
      if (!word.starts_with('-')) {
        by_place_.push_back(word);
        continue;
      }
      const ValueShape* option = find_option(word.substr(0, word.find('=')));
      if (!option) continue;
      used_.push_back(option);
      if (!option->value.empty() && !word.contains('=')) waiting_ = option;
    }
  }

  [[nodiscard]] const ValueShape* find_option(const std::string& name) const {
    for (const ValueShape& option : command_->options)
      if (std::ranges::find(option.names, name) != option.names.end()) return &option;
    return nullptr;
  }

  [[nodiscard]] Completion options() const {
    const HelpText text = help_of(command_->name);
    Completion found;
    for (const ValueShape& option : command_->options) {
      if (!option.repeats && std::ranges::find(used_, &option) != used_.end()) continue;
      for (const std::string& name : option.names)
        found.candidates.push_back({name, said_of(text, name)});
    }
    found.candidates.push_back({"--help", said_of(help_of(""), "--help")});
    return found;
  }

  [[nodiscard]] Completion values_by_place() const {
    const auto& places = command_->places;
    if (places.empty()) return {};
    if (by_place_.size() >= places.size() && !places.back().repeats) return {};
    return values(places[std::min(by_place_.size(), places.size() - 1)].value);
  }

  // --socket=/ru
  [[nodiscard]] Completion values_of_option(std::size_t sign) const {
    const ValueShape* option = find_option(current_.substr(0, sign));
    if (!option) return {};
    Completion found = fitting(values(option->value), current_.substr(sign + 1));
    for (Candidate& candidate : found.candidates)
      candidate.word.insert(0, current_.substr(0, sign + 1));
    return found;
  }

  [[nodiscard]] Completion values(std::string_view kind) const {
    if (kind == "FILE") return {.files = true};
    if (kind == "COMMAND") return {.candidates = commands({})};
    if (kind == "SETTING") return {.candidates = settings(vocabulary_.settings, "")};
    if (kind == "SETTING=") return {.candidates = settings(vocabulary_.settings, "=")};
    if (kind == "FIELD=")
      return {.candidates = fields_to_compare(by_place_, vocabulary_.observers)};
    if (kind == "FIELD")
      return {.candidates = fields_to_group_by(by_place_, vocabulary_.observers)};
    if (kind == "VIEW") return {.candidates = views(vocabulary_.observers)};
    if (kind == "TARGET") return {.candidates = records(vocabulary_.observers)};
    if (kind == "STORY") return {.candidates = vocabulary_.stories()};
    if (kind == "SIGNALS") return after_comma(signals());
    return {.candidates = kind.contains('|') ? choices(kind) : Candidates{}};
  }

  // KILL,TE
  [[nodiscard]] Completion after_comma(Candidates candidates) const {
    const auto comma = current_.rfind(',');
    if (comma != std::string::npos) {
      const auto begin = current_.find('=') + 1;  // of the value; 0: there is no sign
      for (Candidate& candidate : candidates)
        candidate.word.insert(0, current_.substr(begin, comma + 1 - begin));
    }
    return {.candidates = std::move(candidates)};
  }

  static Completion fitting(Completion all, std::string_view begin) {
    std::erase_if(all.candidates, [&](const Candidate& c) { return !c.word.starts_with(begin); });
    return all;
  }

  const Vocabulary& vocabulary_;
  const std::vector<CommandShape> shapes_;
  std::string current_;
  Words before_;
  const CommandShape* command_ = nullptr;
  std::vector<std::string> by_place_;
  std::vector<const ValueShape*> used_;
  const ValueShape* waiting_ = nullptr;  // the option whose value comes next
};

// Nothing when no agent answers; a shell cannot say why.
Candidates told_stories(const Agent& agent) {
  const auto socket = socket_path(agent, std::nullopt, load(agent, std::nullopt).tree);
  const auto answer = serve::ask(socket, {.command = serve::Command::stories});
  const auto json = answer ? serve::parse_json(*answer) : Result<serve::Json>();
  Candidates found;
  if (!json) return found;
  const auto items = json->items();
  for (std::size_t i = items.size(); i > 0 && found.size() < kMaxStories; --i)
    found.push_back(
        {std::string(items[i - 1]["id"].text()), std::string(items[i - 1]["title"].text())});
  return found;
}

// One line each: a word, a tab, what it means.
std::string lines_of(const Completion& completion) {
  std::string out;
  for (const Candidate& candidate : completion.candidates)
    out += fmt::format("{}\t{}\n", printable(candidate.word), printable(candidate.help));
  return completion.files ? out + ":files\n" : out;
}

}  // namespace

Completion complete(Words line, const Vocabulary& vocabulary) {
  return Line(line, vocabulary).complete();
}

Exit completion(const Arguments& arguments, const Agent& agent,
                std::span<const Descriptor* const> observers) {
  if (!arguments.shell.empty()) return print(completion_script(arguments.shell));
  const config::Tree settings = agent.configuration();
  return print(lines_of(
      complete(arguments.line, {.settings = settings, .observers = observers, .stories = [&] {
                                  return told_stories(agent);
                                }})));
}

}  // namespace tapio::cli
