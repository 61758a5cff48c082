// SPDX-License-Identifier: Apache-2.0
#include "cli/manual.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/help_text.hpp"
#include "cli/pages.hpp"

namespace tapio::cli {

namespace {

constexpr std::string_view kName = "tapio";

// For roff: a backslash escapes, a hyphen would be broken at and not found by a search, and a dot
// or a quote at the begin of a line is a request.
std::string roff(std::string_view text) {
  std::string out;
  if (text.starts_with('.') || text.starts_with('\'')) out = "\\&";
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  return out;
}

// Words of a paragraph, in lines as mandoc(1) likes them.
std::string filled(std::string_view text) {
  constexpr std::size_t kColumns = 72;
  std::string out;
  while (!text.empty()) {
    auto end = text.size() > kColumns ? text.rfind(' ', kColumns) : text.size();
    end = std::min(end == text.npos ? text.find(' ') : end, text.size());
    out += roff(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string page_name(std::string_view command) {
  return command.empty() ? std::string(kName) : fmt::format("{}-{}", kName, command);
}

void append_section(std::string& out, std::string_view title) {
  out.append(".SH ").append(title) += '\n';
}

void append_items(std::string& out, const std::vector<HelpItem>& items) {
  bool in_words = false;  // one after another they are one paragraph
  for (const HelpItem& item : items) {
    if (!item.text.empty())
      out += fmt::format(".TP\n.B {}\n{}", roff(item.head), filled(item.text));
    else
      out += fmt::format("{}{}\n", in_words ? "" : ".PP\n", roff(item.head));
    in_words = item.text.empty();
  }
}

bool has_options(const HelpText::Paragraph& paragraph) {
  return !paragraph.items.empty() && paragraph.items.front().head.starts_with('-');
}

void append_usage(std::string& out, const HelpText& help) {
  append_section(out, "SYNOPSIS");
  std::string_view between;
  for (const HelpItem& usage : help.usage) {
    out += fmt::format("{}.B {}\n", between, roff(usage.head));
    between = ".br\n";
  }
}

void append_description(std::string& out, const HelpText& help) {
  append_section(out, "DESCRIPTION");
  bool first = true;
  for (const auto& paragraph : help.paragraphs) {
    if (has_options(paragraph)) continue;
    if (!paragraph.text.empty())
      out += fmt::format("{}{}", first ? "" : ".PP\n", filled(paragraph.text));
    append_items(out, paragraph.items);
    first = false;
  }
  for (const HelpItem& usage : help.usage)
    if (!usage.text.empty()) append_items(out, {usage});
}

void append_options(std::string& out, const HelpText& help) {
  if (std::ranges::none_of(help.paragraphs, has_options)) return;
  append_section(out, "OPTIONS");
  for (const auto& paragraph : help.paragraphs)
    if (has_options(paragraph)) append_items(out, paragraph.items);
}

void append_examples(std::string& out, const HelpText& help) {
  if (help.examples.empty()) return;
  append_section(out, "EXAMPLES");
  out += ".nf\n";
  for (const auto& example : help.examples) out += roff(example) + "\n";
  out += ".fi\n";
}

void append_see_also(std::string& out, const std::string& command) {
  append_section(out, "SEE ALSO");
  std::vector<std::string> others = {""};
  if (command.empty()) others = manual_pages();
  for (std::size_t i = 0; i < others.size(); ++i)
    out +=
        fmt::format(".BR {} (1){}\n", roff(page_name(others[i])), i + 1 < others.size() ? "," : "");
}

Status write_page(const std::string& directory, const std::string& command,
                  const std::string& page) {
  const std::string path = fmt::format("{}/{}.1", directory, page_name(command));
  std::ofstream file(path);
  file << page << std::flush;
  if (!file) return fail(Fault::unavailable, "cannot write " + path);
  return {};
}

}  // namespace

std::vector<std::string> manual_pages() {
  std::vector<std::string> pages;
  for (const CommandShape& shape : command_shapes()) {
    std::string first = shape.name.substr(0, shape.name.find(' '));
    if (std::ranges::find(pages, first) == pages.end()) pages.push_back(std::move(first));
  }
  return pages;
}

std::string manual(const std::string& command, const std::string& version,
                   std::span<const std::string> words) {
  const HelpText all = read_help(help("", words));
  const HelpText own = read_help(help(command, words));
  const std::string name = page_name(command);
  std::string title = name;
  std::ranges::transform(title, title.begin(), [](unsigned char c) { return std::toupper(c); });
  const std::string summary =
      command.empty() ? "says what happened on this node, and why" : said_of(all, command);
  std::string out = fmt::format(".TH {} 1 \"\" \"{} {}\" \"User Commands\"\n.SH NAME\n{} \\- {}\n",
                                roff(title), kName, roff(version), roff(name), roff(summary));
  append_usage(out, own);
  append_description(out, own);
  append_options(out, own);
  append_examples(out, own);
  append_see_also(out, command);
  return out;
}

Exit man(const Arguments& arguments, const Agent& agent,
         std::span<const Descriptor* const> observers) {
  auto pages = manual_pages();
  const auto page = [&](const std::string& name) {
    return manual(name, agent.version(), words_of(name, observers));
  };
  if (!arguments.page.empty() && std::ranges::find(pages, arguments.page) == pages.end())
    return complain(
        {Fault::invalid, fmt::format("there is no command {}; there are {}",
                                     config::shown(arguments.page), fmt::join(pages, ", "))});
  if (!arguments.into) return print(page(arguments.page));
  pages.emplace_back();
  for (const std::string& name : pages)
    if (const Status written = write_page(*arguments.into, name, page(name)); !written)
      return complain(written.error());
  return Exit::fine;
}

}  // namespace tapio::cli
